"""What headers are called, in a dozen languages and in well-known exports: role of a column by its name."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# fmt: off
_NAMES: dict[str, str] = {
    "id": """
        id doc_id document_id review_id reviewid reviews_id ticket_id ticket ticket_number tweet_id
        comment_id response_id respondent_id message_id row_id record_id feedback_id post_id case_id
        case_number case_no uuid guid key index row row_number no nr number answer_id submission_id
        entry_id complaint_id query_id survey_response_id unnamed_0 unnamed kennung nummer
        laufende_nummer lfd_nr bewertungs_id bewertung_id ticketnummer vorgang vorgangsnummer
        identifiant numero numero_du_ticket id_avis id_commentaire identificador id_resena
        numero_de_ticket id_comentario id_avaliacao id_recensione identificativo volgnummer 编号 序号
        评论id 评论编号 工单编号 番号 レビューid 投稿id チケット番号 번호 리뷰id 문의번호 идентификатор
        номер ид номер_обращения code codigo kode ticketnr ticket_nr vorgangsnr belegnr bewertungsnr
        nachrichten_id nachricht_id bewertungs_nr antwort_id handle_id reference_id issue_key""",
    "text": """
        text body content contents review_text review review_body review_content review_comment_message
        reviews reviews_text comment comments comment_text message message_text description feedback
        feedback_text opinion verbatim blurb answer answer_text response response_text full_text tweet
        tweet_text post note notes remarks remark details complaint consumer_complaint_narrative
        narrative free_text open_text pros_and_cons utterance synopsis overview abstract plot
        ticket_description kommentar kommentare bewertungstext rezension rezensionstext nachricht
        nachrichtentext beschreibung inhalt anmerkung anmerkungen meinung freitext bewertung antwort
        anfrage texte commentaire commentaires avis contenu corps remarque texte_avis reponse verbatims
        texto comentario comentarios resena contenido mensaje descripcion cuerpo respuesta texto_resena
        mensagem descricao conteudo resenha avaliacao resposta corpo testo recensione commento commenti
        messaggio descrizione contenuto risposta testo_recensione tekst beoordeling opmerking
        opmerkingen reactie bericht omschrijving inhoud recensie antwoord 评论 评论内容 内容 正文 评价
        评价内容 留言 描述 反馈 意见 文本 評論 內容 評論內容 レビュー リビュー レビュー本文 レビュー内容
        本文 コメント 感想 口コミ クチコミ メッセージ 説明 テキスト 리뷰 리뷰내용 내용 본문 댓글 후기
        의견 메시지 설명 텍스트 текст отзыв отзывы комментарий комментарии сообщение описание содержание
        текст_отзыва""",
    "title": """
        title summary headline subject review_title review_headline review_summary review_comment_title
        heading reviews_title ticket_subject ticket_name titel betreff uberschrift
        zusammenfassung titre objet sujet resume titulo asunto resumen assunto resumo titolo
        oggetto onderwerp kop 标题 主题 题目 标题内容
        タイトル 件名 題名 제목 заголовок тема""",
    "thing": """
        product_title product_name item_title item_name movie_title book_title app_name hotel_name
        restaurant_name business_name produktname bezeichnung artikelbezeichnung nom_du_produit
        nombre_del_producto nome_do_produto nome_prodotto productnaam 商品名称 商品名 상품명
        наименование название name nom nombre nome naam 名称 名字 名前 이름 имя""",
    "created_at": """
        created_at created created_on created_time created_date creation_date creation_time date
        datetime time timestamp ts at posted_at posted posted_on post_date published published_at
        publish_date publication_date submit_date submit_time submitted submitted_at submission_date
        submitted_on
        review_date review_time review_timestamp review_creation_date reviews_date unix_review_time
        unixreviewtime reviewtime tweet_created written_at written_on written sent_at sent received
        received_at end_date start_date date_created date_submitted date_posted date_added opened_at
        opened order_date purchase_date event_time event_timestamp order_purchase_timestamp
        transaction_date date_received rated_at day datum erstellt erstellt_am erstellungsdatum
        zeitpunkt zeitstempel bewertungsdatum eingang eingangsdatum bestelldatum verfasst_am uhrzeit
        kaufdatum gesendet_am eingegangen_am abgegeben_am date_creation date_de_creation cree_le date_avis
        date_de_publication horodatage
        date_commande envoye_le fecha fecha_creacion fecha_de_creacion creado creado_el fecha_hora
        fecha_resena marca_temporal data data_criacao data_de_criacao criado_em data_hora data_avaliacao
        creato_il data_creazione data_recensione data_ora datum_aangemaakt aangemaakt aangemaakt_op
        tijdstip tijdstempel 日期 时间 创建时间 发布时间 评论时间 评价时间 日時 日付 投稿日 投稿日時
        作成日時 作成日 時間 날짜 작성일 작성일시 등록일 일시 시간 дата время создано дата_создания
        дата_отзыва дата_публикации invoice_date payment_date survey_date feedback_date comment_date
        visit_date call_date date_opened completed completed_at when""",
    "updated_at": """
        updated_at updated modified_at last_modified solved_at closed_at date_seen date_added due_at
        review_answer_timestamp replied_at geandert_am aktualisiert mis_a_jour actualizado atualizado
        shipped_at shipping_date delivered_at date_updated""",
    "rating": """
        rating ratings stars star star_rating score overall overall_rating review_rating reviews_rating
        review_score user_rating user_score reviewer_score review_stars rate grade points satisfaction
        satisfaction_score csat nps nps_score rating_0_1 rating_value customer_rating mark marks
        weiterempfehlung weiterempfehlungsbereitschaft bewertung sterne sternebewertung punkte punktzahl
        note gesamtnote zufriedenheit notation etoiles
        nb_etoiles note_sur_5 puntuacion calificacion valoracion estrellas nota avaliacao estrelas
        pontuacao classificacao punteggio voto valutazione stelle beoordeling cijfer sterren waardering
        评分 星级 打分 分数 得分 评级 評分 評価 評点 点数 星 スコア レーティング 평점 별점 점수 평가
        оценка рейтинг баллы звезды балл""",
    "user": """
        user user_id userid username user_name reviewer reviewer_id reviewerid reviewer_name author
        author_id author_name customer customer_id customerid customer_email customer_unique_id
        requester requester_id requester_email requester_name email email_address e_mail mail member
        member_id client client_id cust_no cust_id cust_number customer_no respondent profile_name
        profilename uid buyer buyer_id shopper_id
        visitor_id account account_id contact contact_id contact_email critic critic_name
        reviews_username reviewer_username screen_name handle nickname display_name visitorid
        subscriber_id guest_id patient_id kunde kunden_id kundennummer kundennr autor verfasser benutzer
        benutzername benutzer_id kunden_nr absender nutzer nutzer_id utilisateur id_utilisateur auteur
        pseudo id_client numero_client expediteur courriel usuario id_usuario cliente id_cliente correo
        correo_electronico remitente nombre_de_usuario usuario_id cliente_id autore utente id_utente
        utente_id klant klant_id klantnummer gebruiker gebruiker_id gebruikersnaam 用户 用户id 用户名
        作者 昵称 会员 会员id 客户 客户id 買家 ユーザー ユーザーid ユーザー名 投稿者 顧客 顧客id 会員id
        사용자 사용자id 작성자 고객 고객id 닉네임 회원id пользователь автор клиент покупатель
        id_пользователя id_клиента reporter submitter submitted_by created_by opened_by raised_by from
        sender_email melder ersteller eingereicht_von""",
    "item": """
        item item_id itemid package_name product product_id productid product_name asin asins parent_asin sku
        business business_id movie movie_id movieid book book_id isbn article article_id app app_id
        app_name hotel hotel_id hotel_name restaurant restaurant_id restaurant_name airline place_id
        listing_id property_id game_id song_id track_id artist_id clothing_id style_id beer_id
        beer_beerid recipe_id course_id video_id drug_name venue_id location_id store_id product_code
        product_sku model item_code ean gtin upc stock_code stockcode item_title product_title brand_id
        anime_id show_id podcast_id offer_id produkt produkt_id produktid produktname produktnummer
        artikel artikel_id artikelnummer artikelnr artikel_nr filiale produit produit_id id_produit
        reference ref nom_produit ref_produit producto producto_id id_producto codigo_producto articulo
        referencia produto produto_id id_produto codigo_produto prodotto prodotto_id id_prodotto
        codice_prodotto articolo productnummer artikelcode 商品 商品id 商品编号 产品 产品id 商品名称
        店铺 电影id 商品コード 商品名 製品 製品id 品番 店舗 상품 상품id 상품코드 제품 제품id 영화id
        товар товар_id артикул id_товара продукт""",
    "name": """
        name full_name fullname customer_name display_name user_name real_name kundenname
        vollstandiger_name nom nom_complet nombre nombre_completo nome nome_completo naam volledige_naam
        姓名 名字 氏名 名前 이름 성명 имя фио полное_имя""",
    "language": """
        language lang locale language_code lang_code iso_language detected_language review_language
        sprache langue idioma lingua linguagem taal 语言 語言 言語 언어 язык""",
    "thread": """
        thread thread_id conversation conversation_id conversationid ticket_id chat_id session_id
        dialog_id dialogue_id discussion_id case_id ticket conv_id parent_ticket case case_no ticketnummer
        ticketnr vorgang vorgangs_id vorgangsnummer vorgangsnr
        gesprach_id unterhaltung konversation konversations_id id_conversation fil fil_de_discussion
        hilo id_hilo conversacion conversacion_id conversa conversa_id conversazione gesprek gesprek_id
        会话id 会話id スレッド 대화id диалог id_диалога беседа""",
    "speaker": """
        speaker role sender sender_type author_type author_role from_type participant participant_type
        message_type actor party who sprecher rolle absendertyp locuteur role_auteur emetteur orador rol
        remitente_tipo emissor ruolo mittente spreker rol_afzender 角色 说话人 話者 役割 화자 역할 роль
        отправитель""",
    "channel": """
        channel via medium contact_channel source_channel origin ticket_channel submitted_via kanal
        eingangskanal canal canale kanaal 渠道 チャネル チャンネル 채널 канал""",
    "question": """
        question question_text prompt survey_question frage fragetext pregunta pergunta domanda vraag
        问题 質問 質問文 질문 вопрос""",
    "url": """
        url link permalink href review_url source_url ticket_url page_url uri web_url
        reviews_source_urls links adresse_web lien enlace ligacao collegamento 链接 リンク 링크 ссылка""",
    "kind": """
        kind event event_type action action_type interaction_type behavior behavior_type behaviour
        activity interaction aktion ereignis evenement accion acao azione actie 行为 行为类型 行動 행동
        действие событие""",
    "zone": """
        time_zone timezone tz user_timezone zeitzone fuseau_horaire zona_horaria fuso_horario
        fuso_orario tijdzone 时区 タイムゾーン 시간대 часовой_пояс""",
    "person": """
        age gender sex occupation birthday birth_date date_of_birth city state country zip zip_code
        postcode plan signup_date registered_at registered income segment loyalty tier alter geschlecht
        beruf geburtsdatum plz ort sexe profession ville edad genero ocupacion ciudad idade cidade eta
        sesso citta leeftijd geslacht first_name last_name email phone 性别 年龄 性別 年齢 나이 성별
        возраст пол""",
    "goods": """
        price list_price cost brand category categories genre genres manufacturer stock color colour
        size weight material department class keywords director author cuisines studio runtime vendor
        image image_url preis marke kategorie hersteller farbe grosse prix marque categorie fabricant
        precio marca categoria fabricante prezzo prijs merk 价格 品牌 类别 価格 ブランド カテゴリ 가격
        브랜드 цена бренд категория""",
    "order": """
        quantity qty amount total total_price unit_price unitprice price invoice invoice_no invoiceno
        order_id order_no order_number discount revenue menge stuck betrag preis bestellnummer quantite
        prix montant cantidad precio importe quantidade preco quantita prezzo aantal prijs 数量 价格
        金額 수량 количество цена""",
}
# fmt: on

_NOT_ITSELF = frozenset(
    "count confidence probability prob helpful helpfulness votes likes thumbs num n total avg average mean "
    "length followers feedback_count anzahl nombre_de reply replied developer flag gold lat lon latitude "
    "longitude ip version relevance position helpfulness_numerator helpfulness_denominator".split()
)
"""Words that make a header say something about a thing instead of the thing."""

_UNNUMBERED = re.compile(r"(?:col|column|field|f|c|v|var|x|spalte|colonne|columna|列|_c|unnamed)_?[0-9]+")
_BRACKET = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]\s*$")
"""What a header adds to its name: `Created (UTC)`, `Body (HTML)`."""
_CONTAINER = frozenset(
    "review reviews item product ticket tweet row data fields attributes properties".split()
)


@lru_cache(maxsize=4096)
def normal_name(header: str) -> str:
    """A header in lower case without accents, its words joined by `_`: `reviewText` is `review_text`."""
    spread = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip().removeprefix("﻿"))
    plain = "".join(char for char in unicodedata.normalize("NFKD", spread) if not "̀" <= char <= "ͯ")
    composed = unicodedata.normalize("NFKC", plain).lower()
    return re.sub(r"[\W_]+", "_", composed).strip("_")


def is_nameless(header: str) -> bool:
    """Whether a header says nothing: empty, a number, `col1`, `column_2`, `Unnamed: 0`."""
    name = normal_name(header)
    return not name or name.isdigit() or _UNNUMBERED.fullmatch(name) is not None


_NAME_SETS = {role: frozenset(map(normal_name, names.split())) for role, names in _NAMES.items()}


def is_question(header: str) -> bool:
    """Whether a header is the question that a survey asked."""
    return header.rstrip().endswith(("?", "？", "؟")) or len(header.split()) >= 6


_NAME_ORDER = {
    role: {normal_name(name): nth for nth, name in reversed(list(enumerate(names.split())))}
    for role, names in _NAMES.items()
}
NAMED_ROLES = tuple(_NAMES)


def _own_name(header: str) -> str:
    """A normal name without what a bracket adds, in the singular where it names ids."""
    name = normal_name(_BRACKET.sub("", header)) or normal_name(header)
    return re.sub(r"_ids$", "_id", name)


def name_match(role: str, header: str) -> float:
    """How well a header names a role: 1 the word itself, 0.8 within a longer one, 0 not at all."""
    name, names = _own_name(header), _NAME_SETS[role]
    if header.strip() in ("#", "№"):
        return float(role == "id")
    if is_question(header):
        return {"text": 1.0, "rating": 0.9}.get(role, 0.0)
    if name in names or name.replace("_", "") in names:
        return 1.0
    words = name.split("_")
    if len(words) > 6 or _NOT_ITSELF & set(words):
        return 0.0
    for length in (3, 2, 1):
        if length < len(words) and "_".join(words[-length:]) in names:
            return 0.9 if words[0] in _CONTAINER or length > 1 else 0.8
    return 0.0


def name_rank(role: str, header: str) -> float:
    """From 0 to 1, how usual a name this is for a role, for headers that name it alike."""
    name = _own_name(header)
    order = _NAME_ORDER[role]
    place = order.get(name, len(order))
    is_key = name.endswith("id") or name in ("asin", "sku")
    return (1.0 - place / (len(order) + 1)) / 2 + (0.5 if is_key and role in ("user", "item") else 0.0)


def tells_about(header: str) -> bool:
    """Whether a header counts or describes something else: `thumbs_up_count`, `label_confidence`."""
    return bool(_NOT_ITSELF & set(normal_name(header).split("_")))


_FILES = {
    "items": """
        items item products product stock catalog catalogue movies movie books articles restaurants hotels
        businesses business metadata meta goods produkte artikel artikelstamm katalog produits productos
        produtos
        prodotti producten 商品 товары""",
    "users": """
        users user customers customer members clients accounts contacts people kunden kundenstamm nutzer
        benutzer
        utilisateurs usuarios clientes utenti clienti klanten gebruikers 用户 客户 клиенты""",
    "interactions": """
        interactions interaction orders order purchases purchase transactions ratings events clicks views
        sessions bestellungen kaufe commandes achats pedidos compras ordini acquisti bestellingen""",
    "documents": """
        reviews review tickets ticket comments feedback survey surveys responses messages tweets chats
        chat emails complaints bewertungen rezensionen kommentare umfrage avis commentaires resenas
        comentarios avaliacoes recensioni commenti beoordelingen 评论 レビュー 리뷰 отзывы documents docs
        posts""",
}
_FILE_WORDS = {kind: frozenset(map(normal_name, words.split())) for kind, words in _FILES.items()}


def file_hint(stem: str) -> str | None:
    """The kind of source that a file's name speaks of, if it speaks of one."""
    words = normal_name(stem).split("_")
    found = [
        (words.index(word), kind) for kind, known in _FILE_WORDS.items() for word in words if word in known
    ]
    # Of a compound such as order_reviews the last word is the thing.
    return max(found)[1] if found else None
