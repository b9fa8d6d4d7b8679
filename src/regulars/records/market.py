"""Facts around the shop: what customers say, what selling costs, what the market does."""

from regulars.records.tables import Table, columns


def _fact(name: str, grain: str, key: str, subject: str, text: str) -> Table:
    return Table(name, "collect", grain, columns(text), tuple(key.split()), subject)


MARKET = (
    _fact(
        "reviews",
        "one row per review of a product or a store",
        "review_id",
        "customer_id",
        """
        review_id string number of the review
        customer_id string?! who wrote it
        product_id string? product it is about
        store_id string? store it is about
        order_id string? order it is about
        rating float64? stars, 0 to 5
        body string?! what was written
        reviewed_at timestamp when, aware UTC
        platform string? where it was written
    """,
    ),
    _fact(
        "survey_answers",
        "one row per survey, respondent and question",
        "survey_id respondent_id question",
        "customer_id",
        """
        survey_id string the survey
        respondent_id string number of the filled-in form
        question string the question, or its number
        customer_id string?! who answered, when known
        answer string! what was answered
        score float64? the answer as a number, where it is one
        answered_at timestamp when, aware UTC
    """,
    ),
    _fact(
        "service_tickets",
        "one row per request to customer service",
        "ticket_id",
        "customer_id",
        """
        ticket_id string number of the request
        customer_id string?! who asked
        order_id string? order it is about
        topic string? what it is about
        opened_at timestamp when it was opened, aware UTC
        closed_at timestamp? when it was closed, aware UTC
        satisfaction float64? stars given afterwards, 0 to 5
    """,
    ),
    _fact(
        "social_mentions",
        "one row per public post that names the shop or its goods",
        "platform mention_id",
        "",
        """
        mention_id string number of the post on its platform
        platform string where it was posted
        author string?! name or hash of who posted it
        body string?! what was posted
        posted_at timestamp when, aware UTC
        likes int64? how many liked it, >= 0
        comments int64? how many commented, >= 0
    """,
    ),
    _fact(
        "ad_costs",
        "one row per platform, advertisement and day",
        "platform ad_id day",
        "",
        """
        platform string where it was shown: douyin, channels, live...
        ad_id string the platform's number of the advertisement, plan or live room
        name string? how it is called
        day date the day
        cost money what was paid for it, >= 0
        impressions int64? times shown, >= 0
        clicks int64? times clicked, >= 0
        orders int64? orders the platform claims, >= 0
        sales money? sales the platform claims, >= 0
    """,
    ),
    _fact(
        "stock_levels",
        "one row per product, store and count",
        "product_id store_id counted_at",
        "",
        """
        product_id string what
        store_id string where
        counted_at timestamp when it was counted, aware UTC
        quantity quantity units in stock, >= 0
        price money? shelf price, >= 0
    """,
    ),
    _fact(
        "shipments",
        "one row per parcel",
        "shipment_id",
        "",
        """
        shipment_id string number of the parcel
        order_id string order it belongs to
        carrier string? who carries it
        status string? as the carrier words it
        shipped_at timestamp? when it was handed over, aware UTC
        delivered_at timestamp? when it arrived, aware UTC
        fee money? what the carrier charges, >= 0
    """,
    ),
    _fact(
        "weather_days",
        "one row per place and day",
        "place day",
        "",
        """
        place string city or station
        day date the day
        warmest float64? highest temperature, degrees Celsius
        coldest float64? lowest temperature, degrees Celsius
        rain_mm float64? rain and snow, mm, >= 0
        sky string? as the service words it
    """,
    ),
    _fact(
        "calendar_days",
        "one row per country and day",
        "country day",
        "",
        """
        country string ISO 3166 code
        day date the day
        kind string workday, weekend, holiday, makeup_workday or unknown
        name string? name of the holiday
    """,
    ),
    _fact(
        "competitor_prices",
        "one row per competitor's listing and day",
        "competitor listing_id observed_on",
        "",
        """
        competitor string whose listing
        listing_id string number of the listing
        observed_on date day it was looked at
        title string? how it is offered
        price money price asked, >= 0
        sold int64? units sold as the listing says, >= 0
        comments int64? comments as the listing says, >= 0
    """,
    ),
)
