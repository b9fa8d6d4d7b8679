"""Journeys that tests are about, as somebody would write them."""

WELCOME = """
id = "welcome"
name = "Welcome in 7 days"
holdout = 0.1
reentry = "never"
keeps = ["store"]
start = "hello"

[measure]
days = 30

[[entry]]
event = "Signed Up"

[[exit_on]]
event = "Order Completed"
is_goal = true

[nodes.hello]
kind = "message"
channels = ["email", "sms"]
content = "welcome@1"
next = "looks"

[nodes.looks]
kind = "wait_for_event"
event = "Product Viewed"
where = { category = "tea" }
timeout_days = 3
next = "tea"
on_timeout = "lot"

[nodes.tea]
kind = "tag"
tag = "likes-tea"
next = "lot"

[nodes.lot]
kind = "split"
arms = [
    { name = "coupon", weight = 3, next = "coupon" },
    { name = "nothing", weight = 1, next = "end" },
]

[nodes.coupon]
kind = "coupon"
offer = "tea-10"
next = "evening"

[nodes.evening]
kind = "wait"
days = 2
at = "18:30"
weekdays = ["fri", "sat"]
next = "big"

[nodes.big]
kind = "branch"
cases = [
    { name = "big", when = { profile = { field = "orders", is = ">=", value = 3 } }, next = "points" },
]
otherwise = "end"

[nodes.points]
kind = "points"
points = 100
next = "end"

[nodes.end]
kind = "exit"
"""
