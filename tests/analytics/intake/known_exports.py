"""What well-known exports look like: headers as they are, values made up, and the mapping that is right."""

from __future__ import annotations

from itertools import cycle, islice

EN = [
    "The zip broke after two days and nobody answered my mail.",
    "Arrived quickly, fits well, and the colour is just as shown in the picture.",
    "I would buy this again, but the instructions are hard to follow.",
    "Battery lasts a whole week, which I did not expect at this price.",
    "It smells of plastic even after washing it three times with soap.",
    "Good value for the money, my daughter uses it every single day.",
]
DE = [
    "Der Reißverschluss ging nach zwei Tagen kaputt und niemand hat geantwortet.",
    "Schnell geliefert, passt gut, und die Farbe ist genau wie auf dem Bild.",
    "Ich würde es wieder kaufen, aber die Anleitung ist schwer zu verstehen.",
    "Der Akku hält eine ganze Woche, das hatte ich nicht erwartet.",
]
FR = [
    "La fermeture s'est cassée après deux jours et personne n'a répondu.",
    "Livraison rapide, la taille est bonne et la couleur est conforme.",
    "Je le rachèterais, mais la notice est difficile à comprendre.",
]
ZH = [
    "拉链用了两天就坏了，客服一直没有回复我的邮件。",
    "发货很快，尺寸合适，颜色和图片一样，非常满意。",
    "电池可以用一个星期，这个价格真的很值得购买。",
]
JA = [
    "二日でファスナーが壊れて、メールを送っても返事がありません。",
    "配送が早く、サイズもぴったりで、色も写真の通りでした。",
    "電池が一週間もつので、この値段ではとても満足しています。",
]
KO = [
    "이틀 만에 지퍼가 고장났고 메일을 보내도 답장이 없습니다.",
    "배송이 빠르고 사이즈도 잘 맞으며 색상도 사진과 같습니다.",
]
RU = [
    "Молния сломалась через два дня, и никто не ответил на письмо.",
    "Быстрая доставка, хорошо сидит, цвет как на фотографии.",
]
N = 40


def column(*values, n=N):
    return list(islice(cycle(values), n))


def texts(base):
    return [f"{base[nth % len(base)][:-1]} ({nth})." for nth in range(N)]


def ids(prefix="", start=1000):
    return [f"{prefix}{start + nth}" for nth in range(N)]


def keys(prefix, n_distinct):
    return [f"{prefix}{(nth * 7) % n_distinct:03d}" for nth in range(N)]


def days(form="{y}-{m:02d}-{d:02d}"):
    return [form.format(y=2024, m=nth % 12 + 1, d=nth % 28 + 1) for nth in range(N)]


TITLES = ["Broken zip", "Just as shown", "Hard to follow", "Lasts a week", "Smells bad", "Good value"]
STARS = column("5", "4", "1", "3", "2")
PEOPLE = ["Ann Lee", "Bob Stone", "Cy Young", "Dee Fox", "Eli Park", "Flo Marsh", "Gus Reed"]

EXPORTS = {
    "amazon": (
        "reviews_Beauty_5",
        {
            "review_key": ids("k"),
            "reviewerID": keys("A1YJ", 31),
            "asin": keys("B00", 9),
            "reviewerName": column(*PEOPLE),
            "helpful_votes": column("0", "3", "1"),
            "reviewText": texts(EN),
            "overall": column("5.0", "4.0", "1.0"),
            "summary": column(*TITLES),
            "unixReviewTime": [str(1_369_699_200 + nth * 86_400) for nth in range(N)],
        },
        "documents",
        {
            "id": "review_key",
            "user": "reviewerID",
            "item": "asin",
            "text": "reviewText",
            "rating": "overall",
            "title": "summary",
            "created_at": "unixReviewTime",
        },
    ),
    "yelp": (
        "yelp_academic_dataset_review",
        {
            "review_id": ids("xQ"),
            "user_id": keys("u", 33),
            "business_id": keys("b", 8),
            "stars": STARS,
            "useful": column("0", "1", "7"),
            "funny": column("0", "2", "0"),
            "cool": column("0", "0", "1"),
            "text": texts(EN),
            "date": days("{y}-{m:02d}-{d:02d} 11:0{m}:12".replace("0{m}", "07")),
        },
        "documents",
        {
            "id": "review_id",
            "user": "user_id",
            "item": "business_id",
            "text": "text",
            "rating": "stars",
            "created_at": "date",
        },
    ),
    "zendesk": (
        "zendesk_export",
        {
            "Ticket ID": ids(),
            "Subject": column(*TITLES),
            "Description": texts(EN),
            "Requester email": [f"p{nth % 30}@mail.example" for nth in range(N)],
            "Created at": days("{y}-{m:02d}-{d:02d}T09:{d:02d}:00Z"),
            "Updated at": days("{y}-{m:02d}-{d:02d}T19:{d:02d}:00Z"),
            "Status": column("open", "solved"),
            "Priority": column("low", "high"),
            "Via": column("email", "web"),
        },
        "documents",
        {
            "id": "Ticket ID",
            "title": "Subject",
            "text": "Description",
            "user": "Requester email",
            "created_at": "Created at",
            "channel": "Via",
        },
    ),
    "app store": (
        "app_reviews",
        {
            "reviewId": ids("gp:"),
            "userName": column(*PEOPLE),
            "userImage": [f"https://x.example/{n}.png" for n in ids()],
            "content": texts(EN),
            "score": STARS,
            "thumbsUpCount": column("0", "12", "3"),
            "reviewCreatedVersion": column("1.2", "1.3"),
            "at": days("{y}-{m:02d}-{d:02d} 10:{d:02d}:07"),
        },
        "documents",
        {"id": "reviewId", "user": "userName", "text": "content", "rating": "score", "created_at": "at"},
    ),
    "movielens": (
        "ratings",
        {
            "userId": keys("", 17),
            "movieId": keys("", 23),
            "rating": column("4.0", "3.5", "0.5", "5.0"),
            "timestamp": [str(964_982_703 + nth * 900) for nth in range(N)],
        },
        "interactions",
        {"user": "userId", "item": "movieId", "rating": "rating", "created_at": "timestamp"},
    ),
    "tweets": (
        "tweets",
        {
            "tweet_id": ids("5703061336777605"),
            "airline_sentiment": column("neutral", "negative", "positive"),
            "airline_sentiment_confidence": column("1.0", "0.35", "0.68"),
            "negativereason": column("Late Flight", "Bad Flight"),
            "airline": column("Delta", "United", "Southwest"),
            "name": keys("handle", 31),
            "text": texts(EN),
            "tweet_created": days("{y}-{m:02d}-{d:02d} 11:35:{d:02d} -0800"),
            "user_timezone": column("Eastern Time (US & Canada)", "Quito"),
        },
        "documents",
        {"id": "tweet_id", "item": "airline", "text": "text", "created_at": "tweet_created"},
    ),
    "clothing": (
        "Womens Clothing E-Commerce Reviews",
        {
            "Unnamed: 0": [str(nth) for nth in range(N)],
            "Clothing ID": keys("", 12),
            "Age": [str(20 + nth) for nth in range(N)],
            "Title": column(*TITLES),
            "Review Text": texts(EN),
            "Rating": STARS,
            "Recommended IND": column("1", "0"),
            "Positive Feedback Count": column("0", "4", "14"),
            "Division Name": column("General", "Petite"),
        },
        "documents",
        {
            "id": "Unnamed: 0",
            "item": "Clothing ID",
            "title": "Title",
            "text": "Review Text",
            "rating": "Rating",
        },
    ),
    "survey": (
        "SurveyMonkey export",
        {
            "Respondent ID": ids("114"),
            "Collector ID": column("4000"),
            "End Date": days("{y}-{m:02d}-{d:02d} 08:{d:02d}:00"),
            "Email Address": [f"q{nth}@mail.example" for nth in range(N)],
            "What could we do better next time?": texts(EN),
            "NPS": column("0", "10", "7", "9"),
        },
        "documents",
        {
            "id": "Respondent ID",
            "created_at": "End Date",
            "user": "Email Address",
            "rating": "NPS",
            "text": "What could we do better next time?",
        },
    ),
    "chat": (
        "messages",
        {
            "message_id": ids("m"),
            "conversation_id": keys("c", 9),
            "sender": column("customer", "agent"),
            "channel": column("chat", "email"),
            "body": texts(EN),
            "sent_at": days("{y}-{m:02d}-{d:02d}T09:{d:02d}:00+02:00"),
        },
        "documents",
        {
            "id": "message_id",
            "thread": "conversation_id",
            "speaker": "sender",
            "channel": "channel",
            "text": "body",
            "created_at": "sent_at",
        },
    ),
    "german": (
        "Bewertungen",
        {
            "Bewertungs-ID": ids("B"),
            "Kundennummer": keys("K", 30),
            "Artikelnummer": keys("A-", 9),
            "Sterne": STARS,
            "Überschrift": [f"Titel {nth}" for nth in range(N)],
            "Kommentar": texts(DE),
            "Erstellt am": days(),
        },
        "documents",
        {
            "id": "Bewertungs-ID",
            "user": "Kundennummer",
            "item": "Artikelnummer",
            "rating": "Sterne",
            "title": "Überschrift",
            "text": "Kommentar",
            "created_at": "Erstellt am",
        },
    ),
    "french": (
        "avis",
        {
            "Identifiant": ids(),
            "Auteur": keys("client", 25),
            "Produit": keys("P", 9),
            "Note": STARS,
            "Texte": texts(FR),
            "Date de création": days(),
        },
        "documents",
        {
            "id": "Identifiant",
            "user": "Auteur",
            "item": "Produit",
            "rating": "Note",
            "text": "Texte",
            "created_at": "Date de création",
        },
    ),
    "chinese": (
        "评论",
        {
            "评论编号": ids(),
            "用户id": keys("u", 25),
            "商品id": keys("p", 9),
            "评分": STARS,
            "评论内容": texts(ZH),
            "评论时间": days(),
        },
        "documents",
        {
            "id": "评论编号",
            "user": "用户id",
            "item": "商品id",
            "rating": "评分",
            "text": "评论内容",
            "created_at": "评论时间",
        },
    ),
    "japanese": (
        "data",
        {
            "番号": ids(),
            "ユーザーID": keys("u", 25),
            "商品コード": keys("p", 9),
            "評価": STARS,
            "リビュー": texts(JA),
            "投稿日": days(),
        },
        "documents",
        {
            "id": "番号",
            "user": "ユーザーID",
            "item": "商品コード",
            "rating": "評価",
            "text": "リビュー",
            "created_at": "投稿日",
        },
    ),
    "korean": (
        "data",
        {
            "번호": ids(),
            "작성자": keys("u", 25),
            "상품코드": keys("p", 9),
            "평점": STARS,
            "리뷰": texts(KO),
            "작성일": days(),
        },
        "documents",
        {
            "id": "번호",
            "user": "작성자",
            "item": "상품코드",
            "rating": "평점",
            "text": "리뷰",
            "created_at": "작성일",
        },
    ),
    "russian": (
        "отзывы",
        {
            "номер": ids(),
            "автор": keys("u", 25),
            "артикул": keys("p", 9),
            "оценка": STARS,
            "отзыв": texts(RU),
            "дата": days(),
        },
        "documents",
        {
            "id": "номер",
            "user": "автор",
            "item": "артикул",
            "rating": "оценка",
            "text": "отзыв",
            "created_at": "дата",
        },
    ),
    "catalogue": (
        "products",
        {
            "sku": ids("S"),
            "name": [f"Lamp model {nth}" for nth in range(N)],
            "description": texts(EN),
            "price": column("9.99", "19.5"),
            "brand": column("Acme", "Bolt"),
        },
        "items",
        {"id": "sku", "title": "name", "text": "description"},
    ),
    "customers": (
        "customers",
        {
            "customer_id": ids("C"),
            "full_name": [f"{one} {chr(65 + nth)}." for nth, one in enumerate(column(*PEOPLE))],
            "country": column("DE", "FR"),
            "plan": column("basic", "pro"),
        },
        "users",
        {"id": "customer_id", "name": "full_name"},
    ),
    "orders": (
        "orders",
        {
            "order_no": ids("O"),
            "customer_id": keys("C", 20),
            "sku": keys("S", 11),
            "quantity": column("1", "2"),
            "order_date": days(),
            "event_type": column("order", "return"),
        },
        "interactions",
        {"user": "customer_id", "item": "sku", "created_at": "order_date", "kind": "event_type"},
    ),
    "shop's orders": (
        "Online Retail",
        {
            "InvoiceNo": keys("5", 11),
            "StockCode": keys("8", 17),
            "Description": column("WHITE METAL LANTERN", "RED HEART", "GLASS STAR HOLDER"),
            "Quantity": column("6", "8"),
            "InvoiceDate": days("{m}/{d}/{y} 8:26"),
            "CustomerID": keys("17", 19),
        },
        "interactions",
        {"user": "CustomerID", "item": "StockCode", "created_at": "InvoiceDate"},
    ),
    "german tickets": (
        "Tickets 2024",
        {
            "Ticketnr.": ids("T"),
            "Eingangsdatum": days("{d:02d}.{m:02d}.{y}"),
            "Absender": [f"a{nth % 25}@mail.example" for nth in range(N)],
            "Betreff": column(*TITLES),
            "Nachricht": texts(DE),
        },
        "documents",
        {
            "id": "Ticketnr.",
            "created_at": "Eingangsdatum",
            "user": "Absender",
            "title": "Betreff",
            "text": "Nachricht",
        },
    ),
}
