"""More exports as they look: without an id, with notes beside orders, with questions as headers."""

from __future__ import annotations

from known_exports import EN, PEOPLE, STARS, TITLES, N, column, days, ids, keys, texts

CLOCK = "{y}-{m:02d}-{d:02d} {m:02d}:07:31"
MAILS = [f"p{nth * 7 % 31}@mail.example" for nth in range(N)]
SCORES = column("0", "10", "9", "7", "8")


def sometimes(values, every):
    return [value if nth % every == 0 else None for nth, value in enumerate(values)]


MORE_EXPORTS = {
    "google play": (
        "reviews_com.example.lamp_202403",
        {
            "Package Name": column("com.example.lamp"),
            "App Version Code": column("310", "311", "312"),
            "App Version Name": column("3.1.0", "3.1.1", "3.1.2"),
            "Reviewer Language": column("en"),
            "Device": column("a52q", "redfin", "oriole"),
            "Review Submit Date and Time": days("{y}-{m:02d}-{d:02d}T{m:02d}:07:31Z"),
            "Review Submit Millis Since Epoch": [str(1_704_103_651_000 + n * 86_413_000) for n in range(N)],
            "Review Last Update Date and Time": days("{y}-{m:02d}-{d:02d}T{m:02d}:09:31Z"),
            "Review Last Update Millis Since Epoch": [
                str(1_704_103_771_000 + n * 86_413_000) for n in range(N)
            ],
            "Star Rating": STARS,
            "Review Title": sometimes(column(*TITLES), 3),
            "Review Text": texts(EN),
            "Developer Reply Date and Time": sometimes(days("{y}-{m:02d}-{d:02d}T{m:02d}:17:31Z"), 3),
            "Developer Reply Millis Since Epoch": sometimes(
                [str(1_704_190_051_000 + n) for n in range(N)], 3
            ),
            "Developer Reply Text": sometimes(
                texts(["Thank you for telling us, please write to our support desk."]), 3
            ),
            "Review Link": [f"https://play.example/console/review?reviewid=gp:{n}" for n in ids()],
        },
        "documents",
        {
            "text": "Review Text",
            "title": "Review Title",
            "rating": "Star Rating",
            "created_at": "Review Submit Date and Time",
            "language": "Reviewer Language",
            "url": "Review Link",
            "item": "Package Name",
        },
    ),
    "intercom": (
        "intercom_conversations",
        {
            "Conversation ID": ids("2159"),
            "Conversation started at (UTC)": days(CLOCK),
            "Conversation state": column("closed", "open", "snoozed"),
            "Channel": column("Messenger", "Email"),
            "User ID": keys("u", 33),
            "User name": column(*PEOPLE),
            "User email": MAILS,
            "First message": texts(EN),
            "Teammate assigned": column("Kim", "Lou", "Max"),
            "Time to first response (seconds)": [str(60 + nth * 13) for nth in range(N)],
            "Conversation parts": column("2", "5", "3", "9"),
            "Conversation rating": sometimes(STARS, 2),
            "Conversation rating remark": sometimes(
                column("Thanks, very quick!", "Took far too long to answer."), 4
            ),
            "Conversation tags": column("billing", "bug", "how to"),
            "Last closed at (UTC)": days("{y}-{m:02d}-{d:02d} {m:02d}:47:31"),
        },
        "documents",
        {
            "id": "Conversation ID",
            "created_at": "Conversation started at (UTC)",
            "channel": "Channel",
            "user": "User ID",
            "text": "First message",
            "rating": "Conversation rating",
        },
    ),
    "typeform": (
        "responses",
        {
            "#": [f"{n:016x}{'q' * 8}" for n in range(9_000_000, 9_000_000 + N)],
            "How likely is it that you would recommend us to a friend?": SCORES,
            "What is the main reason for your score?": texts(EN),
            "Which plan are you on?": column("Basic", "Pro", "Team"),
            "How old are you?": column("18-24", "25-34", "35-44"),
            "Response Type": column("completed"),
            "Start Date (UTC)": days(CLOCK),
            "Stage Date (UTC)": [None] * N,
            "Submit Date (UTC)": days("{y}-{m:02d}-{d:02d} {m:02d}:09:02"),
            "Network ID": [f"{n:010x}" for n in range(77_000, 77_000 + N)],
            "Tags": [None] * N,
        },
        "documents",
        {
            "id": "#",
            "rating": "How likely is it that you would recommend us to a friend?",
            "text": "What is the main reason for your score?",
            "created_at": "Submit Date (UTC)",
        },
    ),
    "shopify": (
        "orders_export_1",
        {
            "Name": [f"#{1001 + nth // 2}" for nth in range(N)],
            "Email": [f"p{nth // 2 * 7 % 19}@mail.example" for nth in range(N)],
            "Financial Status": sometimes(column("paid", "refunded", "paid"), 2),
            "Paid at": sometimes(days("{y}-{m:02d}-{d:02d} {m:02d}:08:31 +0100"), 2),
            "Fulfillment Status": sometimes(column("fulfilled", "unfulfilled"), 2),
            "Accepts Marketing": sometimes(column("yes", "no"), 2),
            "Currency": sometimes(column("EUR"), 2),
            "Subtotal": sometimes(column("19.90", "8.50", "120.00"), 2),
            "Shipping": sometimes(column("4.90", "0.00"), 2),
            "Total": sometimes(column("24.80", "8.50", "124.90"), 2),
            "Discount Code": sometimes(column("SPRING", "HELLO10"), 4),
            "Shipping Method": sometimes(column("Standard", "Express"), 2),
            "Created at": days("{y}-{m:02d}-{d:02d} {m:02d}:07:31 +0100"),
            "Lineitem quantity": column("1", "2", "1"),
            "Lineitem name": column(
                "Fine lamp - Red / L", "Warm kettle - Steel", "Small tent", "Bottle - 1 l"
            ),
            "Lineitem price": column("19.90", "4.25", "60.00"),
            "Lineitem sku": keys("LMP-", 13),
            "Lineitem requires shipping": column("true", "false"),
            "Billing Name": [PEOPLE[nth // 2 % 7] for nth in range(N)],
            "Billing Street": sometimes([f"{nth} Mill Lane" for nth in range(N)], 2),
            "Billing Zip": sometimes([f"'{20000 + nth}" for nth in range(N)], 2),
            "Notes": sometimes(
                [f"Please leave it with the neighbour at number {n}, thank you." for n in range(N)], 6
            ),
            "Note Attributes": [None] * N,
            "Cancelled at": [None] * N,
            "Payment Method": sometimes(column("Card", "PayPal"), 2),
            "Payment Reference": sometimes(ids("c"), 2),
            "Vendor": column("Acme", "Bolt"),
            "Id": sometimes(ids("45012"), 2),
            "Source": sometimes(column("web", "pos"), 2),
        },
        "interactions",
        {"user": "Email", "item": "Lineitem sku", "created_at": "Created at"},
    ),
    "hubspot": (
        "hubspot-crm-exports-all-tickets-2024-03-01",
        {
            "Ticket ID": ids("98"),
            "Ticket name": column(*TITLES),
            "Ticket description": texts(EN),
            "Pipeline": column("Support Pipeline"),
            "Ticket status": column("New", "Waiting on contact", "Closed"),
            "Create date": days("{y}-{m:02d}-{d:02d} {m:02d}:07"),
            "Last activity date": days("{y}-{m:02d}-{d:02d} {m:02d}:37"),
            "Close date": sometimes(days("{y}-{m:02d}-{d:02d} {m:02d}:57"), 2),
            "Priority": column("Low", "High", None),
            "Category": column("Billing", "Product issue"),
            "Source": column("Email", "Chat", "Form"),
            "Ticket owner": column(*PEOPLE[:3]),
            "Time to close (HH:mm:ss)": column("17:02:11", "3:40:00"),
            "Associated Contact IDs": keys("5", 33),
            "Associated Contact": [f"{PEOPLE[nth % 7]} (p{nth % 33}@mail.example)" for nth in range(N)],
            "Associated Company": column("Acme Ltd", "Bolt & Sons", "Cane Works"),
        },
        "documents",
        {
            "id": "Ticket ID",
            "title": "Ticket name",
            "text": "Ticket description",
            "created_at": "Create date",
            "user": "Associated Contact IDs",
        },
    ),
}
