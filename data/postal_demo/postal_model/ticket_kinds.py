"""SYNTHETIC: the types of ticket: what drives them, who deals with them, how they are worded."""

from dataclasses import dataclass

CAUSES = ("staff", "process", "system", "supervision")
CHANNELS = {"phone": 0.38, "app": 0.22, "web": 0.14, "social media": 0.10, "counter": 0.10, "e-mail": 0.06}
REMEDIES = {
    "money": ("compensation", "refund", "apology"),
    "service": ("redelivery", "apology", "correction"),
    "words": ("apology", "apology", "correction"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of ticket.

    Attributes
    ----------
    share : of tickets, where all drivers are at their average
    driver : the latent driver that it falls with
    causes : chances of CAUSES
    valid : share that is justified
    slowness : factor of the handling time
    remedies : key of REMEDIES
    texts : sentences in English and in Chinese
    """

    name: str
    share: float
    driver: str
    subtypes: tuple[str, ...]
    causes: tuple[float, float, float, float]
    department: str
    valid: float
    slowness: float
    remedies: str
    texts: tuple[tuple[str, ...], tuple[str, ...]]


KINDS = (
    Kind(
        "delay", 0.30, "delivery", ("collection", "transport", "delivery"), (0.25, 0.45, 0.15, 0.15),
        "transport", 0.90, 1.0, "service",
        (
            ("Three days late, nobody calls back", "Still at the hub, day after day", "Late again this week"),
            ("快件延误三天，没人回电", "物流信息一直停在中转站，迟迟不动", "这周又晚到了"),
        ),
    ),
    Kind(
        "loss", 0.10, "assurance", ("letter", "parcel", "contents"), (0.35, 0.30, 0.15, 0.20),
        "claims", 0.85, 2.2, "money",
        (
            ("My parcel is lost", "Shown as delivered but missing", "Part of the contents is missing"),
            ("快件丢失了", "显示已签收，但找不到快件", "内件缺少，部分丢失"),
        ),
    ),
    Kind(
        "damage", 0.14, "delivery", ("packaging", "contents", "wet"), (0.40, 0.35, 0.05, 0.20),
        "claims", 0.88, 1.6, "money",
        (
            ("The box was crushed", "Glass broken inside", "Everything wet"),
            ("箱子被压坏了", "里面的玻璃损坏了", "快件被水浸湿"),
        ),
    ),
    Kind(
        "attitude", 0.14, "quality", ("courier", "counter", "hotline"), (0.70, 0.10, 0.02, 0.18),
        "customer service", 0.78, 0.6, "words",
        (
            ("The courier shouted at me", "Rude answer at the counter", "Hotline hung up on me"),
            ("快递员态度恶劣", "窗口人员态度生硬", "客服态度差，直接挂断电话"),
        ),
    ),
    Kind(
        "fees", 0.08, "price", ("overcharged", "unclear price"), (0.35, 0.30, 0.25, 0.10),
        "finance", 0.75, 0.8, "money",
        (
            ("Charged twice", "Surcharge was not announced"),
            ("重复收费", "事先没有告知附加费"),
        ),
    ),
    Kind(
        "handling", 0.10, "efficiency", ("queue", "documents", "second visit"), (0.30, 0.50, 0.10, 0.10),
        "outlets", 0.82, 0.7, "words",
        (
            ("Waited an hour to post a letter", "Sent away for one more copy", "Had to come back twice"),
            ("寄一封信排队一小时", "缺一张复印件就让我回去", "同一件事跑了两次"),
        ),
    ),
    Kind(
        "online service", 0.06, "innovation", ("app", "web site", "locker"), (0.05, 0.25, 0.65, 0.05),
        "digital", 0.86, 0.9, "words",
        (
            ("The app does not load", "Web form loses my entries", "Locker did not open"),
            ("手机应用打不开", "网页填写的内容丢失", "快递柜打不开"),
        ),
    ),
    Kind(
        "facilities", 0.04, "environment", ("equipment", "access"), (0.10, 0.40, 0.25, 0.25),
        "outlets", 0.83, 1.3, "words",
        (
            ("The printer has been broken for weeks", "No ramp for wheelchairs"),
            ("打印机坏了几周没人修", "没有无障碍通道"),
        ),
    ),
    Kind(
        "information security", 0.04, "assurance", ("address leaked", "fraud call"), (0.30, 0.25, 0.25, 0.20),
        "information security", 0.70, 1.8, "words",
        (
            ("My address was passed on", "Fraud call about my parcel"),
            ("我的地址被泄露", "接到冒充快递的诈骗电话"),
        ),
    ),
)  # fmt: skip
