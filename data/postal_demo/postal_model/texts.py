"""SYNTHETIC: item texts in English and Chinese, and the words that comments are put together from."""

ITEM_TEXTS = {  # item -> (English, Chinese)
    "qual1": ("Staff are friendly and patient", "服务人员态度友好、有耐心"),
    "qual2": ("Staff know their job and answer questions well", "服务人员业务熟练，能准确解答问题"),
    "qual3": ("Staff explain things in words I understand", "服务人员沟通清楚，让人听得明白"),
    "effi1": ("I had to wait too long", "我等候的时间太长"),
    "effi2": ("My business was handled quickly", "业务办理速度快"),
    "effi3": ("My business was done in one visit", "一次就能办完业务"),
    "envi1": ("There is an outlet where I need one", "网点覆盖广，就近可以办理"),
    "envi2": ("The outlet is well equipped", "网点设施设备齐全"),
    "envi3": ("The outlet is clean and tidy", "网点环境整洁有序"),
    "inno1": ("The app and the parcel lockers are useful", "手机应用和智能快递柜好用"),
    "inno2": ("The company keeps offering useful new services", "企业不断推出实用的新服务"),
    "assu1": ("The company keeps its promises", "企业能够兑现服务承诺"),
    "assu2": ("My mail and parcels are in safe hands", "邮件快件安全有保障"),
    "assu3": ("My personal data are well protected", "个人信息得到妥善保护"),
    "deli1": ("Parcels arrive on time", "快件按时送达"),
    "deli2": ("Parcels arrive intact", "快件送达时完好无损"),
    "deli3": ("I can trace my parcel at any time", "可以随时查询快件状态"),
    "pric1": ("How satisfied are you with the fairness of prices?", "您对收费合理性的满意程度"),
    "pric2": ("How satisfied are you with the clarity of prices?", "您对收费透明度的满意程度"),
    "sati1": ("All in all I am satisfied with this company", "总体上我对该企业感到满意"),
    "sati2": ("The service meets my expectations", "服务达到了我的期望"),
    "sati3": ("The service comes close to my ideal", "服务接近我心目中的理想水平"),
    "loya1": ("I will use this company again", "我会再次选择该企业"),
    "loya2": ("This company is my first choice", "该企业是我的首选"),
    "loya3": ("I would stay even if others were cheaper", "即使别家更便宜，我仍会选择该企业"),
    "expe1": ("Expected: parcels arrive on time", "期望：快件按时送达"),
    "expe2": ("Expected: parcels arrive intact", "期望：快件完好无损"),
    "expe3": ("Expected: I can trace my parcel at any time", "期望：可以随时查询快件状态"),
    "why_price": ("Chose this company for its price", "选择原因：价格"),
    "why_speed": ("Chose this company for its speed", "选择原因：速度"),
    "why_near": ("Chose this company because it is near", "选择原因：距离近"),
    "why_safe": ("Chose this company because it is safe", "选择原因：安全"),
    "why_habit": ("Chose this company out of habit", "选择原因：习惯"),
    "nps": ("How likely are you to recommend this company? (0-10)", "您向亲友推荐该企业的可能性有多大？（0-10）"),
}
CONSTRUCT_LABELS = {
    "quality": ("Service quality", "服务质量"),
    "efficiency": ("Efficiency", "服务效率"),
    "environment": ("Environment", "服务环境"),
    "innovation": ("Innovation", "服务创新"),
    "assurance": ("Assurance", "服务保障"),
    "delivery": ("Delivery", "寄递质量"),
    "price": ("Price", "服务价格"),
    "satisfaction": ("Satisfaction", "顾客满意度"),
    "loyalty": ("Loyalty", "顾客忠诚度"),
    "expectation": ("Expected delivery", "寄递质量期望"),
    "reasons": ("Reasons for choosing the company", "选择企业的原因"),
    "recommend": ("Recommendation", "推荐意愿"),
}
PRAISE = {  # driver -> sentences in English and in Chinese
    "quality": (
        ("Friendly staff who explain everything.", "The lady at the counter was very patient."),
        ("工作人员很耐心，讲解清楚。", "服务态度很好。"),
    ),
    "efficiency": (
        ("Hardly any queue, done in five minutes.", "Quick service."),
        ("几乎不用排队，办理很快。", "效率高，一次办好。"),
    ),
    "environment": (
        ("Clean outlet close to my home.", "Bright and tidy branch."),
        ("网点干净，离家近。", "环境整洁明亮。"),
    ),
    "innovation": (
        ("The app is great, lockers are handy.", "I like the new pick-up service."),
        ("手机应用好用，快递柜方便。", "新推出的上门取件很实用。"),
    ),
    "assurance": (
        ("They do what they promise.", "I trust them with valuable things."),
        ("说到做到，值得信赖。", "贵重物品交给他们很放心。"),
    ),
    "delivery": (
        ("Always on time and undamaged.", "Tracking is exact, parcel came a day early."),
        ("每次都按时送达，包装完好。", "物流信息准确，提前一天到。"),
    ),
    "price": (
        ("Fair prices, no hidden fees.", "Good value."),
        ("价格公道，没有隐性收费。", "性价比高。"),
    ),
}
BLAME = {
    "quality": (
        ("Staff were rude when I asked a question.", "Nobody could answer my question."),
        ("询问时工作人员态度生硬。", "工作人员业务不熟，问不清楚。"),
    ),
    "efficiency": (
        ("Waited forty minutes at the counter.", "Had to come twice for one form."),
        ("窗口排队四十分钟。", "办一件事跑了两趟。"),
    ),
    "environment": (
        ("The nearest outlet is far away.", "Broken printer, dirty floor."),
        ("附近没有网点，太远了。", "设备坏了，地面也脏。"),
    ),
    "innovation": (
        ("The app crashes all the time.", "No self-service at all."),
        ("手机应用经常闪退。", "没有自助服务。"),
    ),
    "assurance": (
        ("Promised a call back, nobody called.", "My phone number was leaked."),
        ("承诺回电却没有人联系我。", "我的电话号码被泄露了。"),
    ),
    "delivery": (
        ("Parcel arrived three days late.", "The box was crushed.", "Tracking did not move for a week."),
        ("快件晚到了三天。", "箱子被压坏了。", "物流信息一周没有更新。"),
    ),
    "price": (
        ("Too expensive, and the surcharge came as a surprise.", "Prices are not clear."),
        ("价格太贵，还有额外收费。", "收费标准不透明。"),
    ),
}
CONTACTS = (  # invented: numbers kept for films and examples, the examples of the standards, example.com
    (
        "Call me on (415) 555-0132.",
        "My number is +44 7700 900123.",
        "Write to sam.doe@example.com",
        "It was parcel RR473124829GB.",
    ),
    (
        "请回电138 0013 8000。",
        "我的邮箱是lilei@example.com。",
        "单号SF1234567890123。",
        "身份证号11010519491231002X，请核实。",
    ),
)
