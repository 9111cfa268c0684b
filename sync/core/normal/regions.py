"""Places: Chinese provinces and cities, and the world's large cities as they appear in names."""

# ruff: noqa: E501 - word lists read better whole than one word a line

# ruff: noqa: SIM905 - word lists read better whole than one word a line

from functools import cache

from sync.core.normal.text import fold, latin_key

CHINA = """
北京 天津 上海 重庆 香港 澳门 台湾:台北 高雄 台中 台南 新竹
河北:石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水
山西:太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁
内蒙古:呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布
辽宁:沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛
吉林:长春 四平 辽源 通化 白山 松原 白城 延边
黑龙江:哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化
江苏:南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 昆山 江阴 张家港 常熟 太仓 宜兴
浙江:杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 义乌 慈溪 余姚 海宁 乐清 桐乡 温岭
安徽:合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城
福建:福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 晋江 石狮
江西:南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
山东:济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽
河南:郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店
湖北:武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施
湖南:长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底
广东:广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 顺德
广西:南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
海南:海口 三亚 三沙 儋州
四川:成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳
贵州:贵阳 六盘水 遵义 安顺 毕节 铜仁
云南:昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 大理
西藏:拉萨 日喀则 昌都 林芝
陕西:西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛
甘肃:兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南
青海:西宁 海东
宁夏:银川 石嘴山 吴忠 固原 中卫
新疆:乌鲁木齐 克拉玛依 吐鲁番 哈密 喀什 伊犁
"""
# Short names that are everyday words or brands: only trusted with 市 or 省, or as a city column.
WEAK = frozenset(
    "中山 大同 长治 运城 四平 白山 白城 大庆 三明 南平 东营 德州 安康 宝鸡 金昌 白银 武威 大理 朝阳 通化 海东 宜春 "
    "清远 百色 来宾 广安 广元 江门 泰安 永州 新乡 黄山 天水 伊春 平凉 吉安 南阳 金华 丽水 安阳 黄石 海城".split()
)
OTHER_NAMES = {
    "hongkong": "香港", "hk": "香港", "macau": "澳门", "macao": "澳门", "taipei": "台北", "harbin": "哈尔滨",
    "xian": "西安", "urumqi": "乌鲁木齐", "lhasa": "拉萨", "hohhot": "呼和浩特", "innermongolia": "内蒙古",
    "tibet": "西藏", "xinjiang": "新疆", "shaanxi": "陕西", "peking": "北京", "canton": "广州", "taiwan": "台湾",
    "kaohsiung": "高雄", "tsingtao": "青岛", "amoy": "厦门", "沪": "上海", "京": "北京",
}  # fmt: skip
WORLD = """
new york|los angeles|chicago|houston|phoenix az|philadelphia|san antonio|san diego|dallas|san jose|austin|
san francisco|seattle|denver|washington dc|boston|nashville|detroit|portland|las vegas|baltimore|
milwaukee|albuquerque|tucson|sacramento|kansas city|atlanta|miami|oakland|minneapolis|tampa|
new orleans|cleveland|honolulu|cincinnati|pittsburgh|st louis|orlando|london|manchester|birmingham|
leeds|glasgow|liverpool|edinburgh|bristol|sheffield|cardiff|belfast|dublin|cork|berlin|hamburg|munich|
koln|cologne|frankfurt|stuttgart|dusseldorf|leipzig|dresden|hannover|nurnberg|bremen|paris|marseille|lyon|
toulouse|nice|nantes|bordeaux|lille|strasbourg|madrid|barcelona|valencia|sevilla|lisbon|porto|rome|milan|
naples|turin|vienna|zurich|geneva|basel|bern|brussels|antwerp|amsterdam|rotterdam|the hague|copenhagen|
stockholm|oslo|helsinki|warsaw|krakow|prague|budapest|bucharest|sofia|athens|istanbul|ankara|moscow|
kyiv|tokyo|osaka|kyoto|yokohama|nagoya|seoul|busan|singapore|kuala lumpur|bangkok|jakarta|manila|hanoi|
ho chi minh city|mumbai|delhi|new delhi|bangalore|chennai|hyderabad|kolkata|pune|dubai|abu dhabi|doha|
riyadh|tel aviv|cairo|johannesburg|cape town|nairobi|lagos|sydney|melbourne|brisbane|perth|adelaide|
canberra|auckland|wellington|toronto|montreal|vancouver|calgary|ottawa|edmonton|winnipeg|mexico city|
sao paulo|rio de janeiro|buenos aires|santiago|bogota|lima
"""
SAME_CITY = {"munchen": "munich", "koln": "cologne", "milano": "milan", "roma": "rome", "wien": "vienna",
             "geneve": "geneva", "lisboa": "lisbon", "praha": "prague", "kobenhavn": "copenhagen",
             "moskva": "moscow", "firenze": "florence", "torino": "turin", "napoli": "naples",
             "newyorkcity": "newyork", "nyc": "newyork"}  # fmt: skip
ENDINGS = ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "地区", "省", "市")


@cache
def _china() -> tuple[dict[str, str], dict[str, str]]:
    """Chinese place name -> its Latin key, and city key -> province key."""
    names: dict[str, str] = {}
    provinces: dict[str, str] = {}
    for line in CHINA.strip().splitlines():
        for group in line.split() if ":" not in line else [line]:
            head, _, tail = group.partition(":")
            for lone in head.split():
                names[lone] = latin_key(lone)
            for city in tail.split():
                names[city] = latin_key(city)
                provinces[names[city]] = latin_key(head.split()[-1])
    # 香港 澳门 台湾 stand on the first line, with 台湾's cities
    names["陕西"] = "shaanxi"
    for city in "西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛".split():
        provinces[latin_key(city)] = "shaanxi"
    names["哈尔滨"], provinces["harbin"] = "harbin", "heilongjiang"
    return names, provinces


@cache
def latin_places() -> dict[str, str]:
    """Latin spelling without spaces -> place key, for tokens of Western text."""
    names, _ = _china()
    table = {key: key for han, key in names.items() if han not in WEAK}
    for city in WORLD.replace("\n", "").split("|"):
        key = city.replace(" ", "")
        table[key] = SAME_CITY.get(key, key)
    table.update(SAME_CITY)
    table.update({alias: names.get(han, alias) for alias, han in OTHER_NAMES.items()})
    return table


def han_places() -> dict[str, str]:
    return _china()[0]


def is_abroad(place: str) -> bool:
    """Whether a key is that of a known city outside China."""
    return place in _abroad()


@cache
def _abroad() -> frozenset[str]:
    return frozenset(latin_places().values()) - frozenset(_china()[0].values())


def province_of(place: str) -> str:
    """The province's key for a city's key; a province or an unknown place is its own."""
    return _china()[1].get(place, place)


def is_province(place: str) -> bool:
    return place in _province_keys()


@cache
def _province_keys() -> frozenset[str]:
    return frozenset(_china()[1].values())


def place_key(text: str) -> str:
    """One key for a city or province column in any script; empty for none."""
    folded = fold(text)
    if not folded:
        return ""
    bare = strip_ending(folded)
    known = han_places().get(bare)
    if known:
        return known
    key = latin_key(bare)
    for tail in ("city", "shi", "province", "sheng"):
        if key.endswith(tail) and key[: -len(tail)] in latin_places():
            key = key[: -len(tail)]
    return latin_places().get(key, key)


def strip_ending(folded: str) -> str:
    for ending in ENDINGS:
        if len(folded) > len(ending) + 1 and folded.endswith(ending):
            return folded[: -len(ending)]
    return folded


def leading_place(text: str) -> tuple[str, str]:
    """(place key, rest) where Chinese text starts with a province, a city or both."""
    place, rest, names = "", text, han_places()
    for _ in range(2):
        found, length = _longest_place(rest, names)
        if not found:
            break
        place, rest = found, rest[length:]
    return place, rest


def _longest_place(text: str, names: dict[str, str]) -> tuple[str, int]:
    for size in (4, 3, 2):
        key = names.get(text[:size])
        if key is None or len(text) <= size:
            continue
        for ending in ENDINGS:
            if text.startswith(ending, size):
                return key, size + len(ending)
        if text[:size] in WEAK and not _weak_is_place(text, size):
            continue
        return key, size
    return "", 0


def _weak_is_place(text: str, size: int) -> bool:
    """`中山华天科技` starts with a place, `中山科技` has 中山 for a brand: enough must follow."""
    return len(text) - size >= 4


def trailing_place(text: str) -> tuple[str, str]:
    """(place key, rest) where Chinese text ends with a city and a brand is left before it."""
    bare = strip_ending(text) if text.endswith(ENDINGS) else text
    names = han_places()
    for size in (4, 3, 2):
        if len(bare) >= size + 3 and bare[-size:] in names:
            return names[bare[-size:]], bare[:-size]
    return "", text
