"""Word lists: what companies do, legal forms, street types, titles, nicknames, mail providers."""

# ruff: noqa: E501 - word lists read better whole than one word a line

# ruff: noqa: SIM905 - word lists read better whole than one word a line

from functools import cache

# One line is one concept: Chinese words | English words. Compound words name several concepts.
CONCEPTS = """
科技 技术 科学技术 高科技 | technology technologies tech technical technol
信息 资讯 | information info
网络 互联网 互联 | network networks internet web online
电子 微电子 | electronic electronics elec electron
商务 | commerce business ecommerce
贸易 商贸 经贸 外贸 工贸 进出口 | trading trade import export impex
国际 环球 | international intl
机械 机电 | machinery machine mechanical machines
设备 装备 | equipment device devices apparatus
建筑 建设 建工 营造 | construction constr building builders
工程 | engineering eng engineers
物流 货运 运输 速递 快递 货代 | logistics logistic transport transportation freight express cargo shipping
供应链 供应 | supply chain
管理 | management mgmt
食品 食业 粮油 | food foods foodstuff
医药 药业 制药 药品 | pharmaceutical pharmaceuticals pharma pharmacy
医疗 医学 卫生 | medical med medicine health healthcare
器械 器材 | instrumentals
化工 化学 | chemical chemicals chem
汽车 汽配 车辆 | auto automotive automobile car vehicle motors
配件 零部件 部件 | parts components accessories
教育 培训 学校 | education educational training school academy
咨询 顾问 | consulting consultancy consult consultants advisory
文化 | culture cultural
传媒 媒体 影视 | media film
环保 环境 | environmental environment environ
能源 新能源 电力 光伏 | energy power solar
新 | new
投资 | investment investments invest capital
广告 | advertising advert ads
餐饮 饮食 | catering restaurant dining
服装 服饰 制衣 | garment garments apparel clothing fashion
家具 家居 | furniture home furnishing
电气 电器 | electric electrical appliance appliances
自动化 自动 | automation
仪器 仪表 仪器仪表 | instruments instrument meters
企业 | enterprise enterprises corporate
装饰 装修 装潢 | decoration decorations interior
软件 | software soft
生物 | biotechnology bio biological biotech
包装 | packaging packing package
材料 新材料 | materials material
塑料 塑胶 橡胶 橡塑 | plastic plastics rubber
制品 产品 用品 | products product goods
五金 | hardware
通信 通讯 电信 | communication communications telecom telecommunications
智能 人工智能 智慧 | intelligent intelligence smart ai
房地产 地产 置业 房产 | real estate property realty properties
开发 | development developing
农业 农产品 农牧 农林 | agriculture agricultural agri agro farm farms
发展 | develop
人力资源 人力 劳务 人才 | human resources hr staffing manpower
实业 产业 | industry industries ind industrial
服务 | services service svcs svc
系统 | systems system sys
数据 大数据 | data
数码 数字 | digital
云 云计算 | cloud
制造 | manufacturing mfg manufacturer manufacture
纺织 印染 | textile textiles
珠宝 首饰 | jewelry jewellery
化妆品 美容 美妆 日化 | cosmetics beauty
宠物 | pet pets
旅游 旅行社 旅行 | travel tourism tours
酒店 宾馆 | hotel hotels hospitality
金融 资本 | finance financial
保险 | insurance
证券 基金 | securities fund funds
租赁 | leasing rental
法律 律师 | law legal
会计 财务 税务 | accounting accountants tax
设计 | design designs
印刷 | printing press
造纸 纸业 | paper
玩具 | toys toy
体育 健身 | sports sport fitness
船舶 海运 航运 | marine maritime
航空 航天 | aviation aerospace airlines air
半导体 芯片 集成电路 | semiconductor semiconductors chip
光电 照明 灯饰 光学 | optoelectronic optoelectronics lighting optical
精密 | precision
模具 | mold mould tooling
金属 钢铁 有色金属 | metal metals steel
矿业 矿产 | mining minerals
石油 石化 燃气 | petroleum petrochemical oil gas
水务 水处理 | water
园林 绿化 景观 | landscape garden
安防 安全 消防 | security safety fire
物业 | propertymgmt
零售 百货 超市 | retail stores store supermarket
批发 销售 营销 | sales wholesale marketing distribution
跨境 | crossborder
研究 研发 | research r&d
检测 认证 检验 | testing inspection certification
知识产权 | intellectual
养老 护理 | care nursing
家政 保洁 | cleaning
游戏 娱乐 动漫 | games game entertainment
音乐 | music
电商 | ecom
茶业 茶叶 | tea
酒业 | wine liquor spirits
水产 渔业 | seafood fishery aquatic
种业 种子 | seed seeds
饲料 | feed
控股 | holdings holding
解决方案 | solutions solution soln
伙伴 | partners partner
集成 | integration integrated
创意 策划 | creative planning
会展 展览 | exhibition events
医院 诊所 | hospital clinic
制冷 空调 暖通 | refrigeration hvac
电缆 线缆 | cable wire
电池 锂电 | battery batteries
机器人 | robot robotics robots
办公 文具 | office stationery
传感 传感器 | sensor sensors
无人机 | drone drones
新零售 |
门窗 建材 玻璃 陶瓷 | buildingmaterials glass ceramics
"""
COMPOUND = {
    "商贸": ("贸易", "商务"), "工贸": ("贸易", "实业"), "机电": ("机械", "电气"), "生物技术": ("生物", "科技"),
    "新能源": ("新", "能源"), "新材料": ("新", "材料"), "biotechnology": ("生物", "科技"),
    "biotech": ("生物", "科技"), "ecommerce": ("电子", "商务"), "e-commerce": ("电子", "商务"),
    "电商": ("电子", "商务"), "ecom": ("电子", "商务"), "生物科技": ("生物", "科技"), "科贸": ("科技", "贸易"),
    "文创": ("文化", "创意"), "网络科技": ("网络", "科技"), "网科": ("网络", "科技"), "信科": ("信息", "科技"),
    "汽配": ("汽车", "配件"), "环科": ("环保", "科技"), "智科": ("智能", "科技"), "新零售": ("新", "零售"),
    "capital": ("投资",), "business": ("企业",),
}  # fmt: skip
GROUP_WORDS = frozenset(["group", "grp", "groups", "gruppe", "groupe"])
LEGAL_WORDS = frozenset(
    "co company ltd limited inc incorporated corp corporation llc llp lp plc gmbh mbh ag kg ohg ug ev gesellschaft "
    "aktiengesellschaft sarl sas sasu sa srl spa sl bv nv oy ab as aps asa pty pte pvt private kk gk sdn bhd berhad "
    "doo zoo sro ltda cie liability joint stock lc pc pllc".split()
)
SMALL_WORDS = frozenset("the and of for a an de la le les du des der die das et und & y".split())
HAN_FORMS = (  # the longest first; the second part is the class that tells forms apart
    ("股份有限公司", "s"), ("股份公司", "s"),
    ("有限责任公司", "l"), ("有限公司", "l"), ("责任公司", "l"), ("总公司", "l"), ("公司", "l"), ("有限合伙企业", "p"),
    ("(有限合伙)", "p"), ("合伙企业", "p"), ("普通合伙", "p"), ("个人独资企业", "i"), ("个体工商户", "i"), ("经营部", "i"),
    ("专业合作社", "c"), ("合作社", "c"), ("工作室", "i"), ("事务所", "o"), ("研究院", "r"), ("研究所", "r"), ("设计院", "r"),
    ("商行", "i"), ("总厂", "f"), ("工厂", "f"), ("厂", "f"), ("有限", "l"),
)  # fmt: skip
LATIN_FORMS = tuple(  # forms that name different companies; the first that a name holds is its form
    (frozenset(words.split()), code)
    for words, code in (
        ("inc incorporated", "I"), ("corp corporation", "C"), ("llc liability", "L"), ("llp lp", "P"), ("plc", "Q"),
        ("kg ohg kgaa", "K"), ("ug", "U"), ("gmbh mbh", "G"), ("ag aktiengesellschaft", "A"), ("sarl srl", "R"),
        ("sas sasu", "S"), ("spa sl", "T"), ("bv", "B"), ("nv", "N"), ("pty pte pvt private sdn", "Y"),
        ("co company", "l"), ("ltd limited", "D"),
    )
)  # fmt: skip
# How the English name of a Chinese company ends; GmbH or PLC never do.
FORMS_ABROAD = frozenset(
    "co company ltd limited inc incorporated corp corporation llc liability joint stock".split()
)
BRANCH_MARKS = (
    "分公司",
    "子公司",
    "分店",
    "分行",
    "支行",
    "办事处",
    "代表处",
    "营业部",
    "分部",
    "分厂",
    "分院",
    "分校",
    "门店",
)
JUNK_WORDS = (
    "停用", "作废", "重复", "老客户", "新客户", "客户", "vip", "勿用", "禁用", "旧", "测试", "无效", "注销", "已",
    "duplicate", "dup", "old", "inactive", "do not use", "closed", "test", "archived", "备用", "暂停", "潜在", "重要",
)  # fmt: skip
TITLES_HAN = ("总经理", "副总", "经理", "先生", "女士", "小姐", "主任", "老师", "医生", "教授", "博士", "总监", "主管", "工程师",
              "老板", "部长", "科长", "处长", "院长", "校长", "师傅", "总", "工")  # fmt: skip
TITLES_LATIN = frozenset(
    "mr mrs ms miss dr prof sir dame lord lady rev reverend hon captain capt col colonel major general baron "
    "baroness earl duke viscount count herr frau monsieur madame mme mlle esq jr sr ii iii iv phd md st bt "
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th admiral baronet bart nd rd th lt lieutenant sergeant saint the of and".split()
)
PARTICLES = frozenset(
    "van von der den de di da du la le del dos st mac mc bin al el ten ter zu zur".split()
)
COMPOUND_SURNAMES = frozenset(
    "欧阳 上官 诸葛 司马 司徒 东方 独孤 南宫 夏侯 皇甫 尉迟 公孙 慕容 长孙 宇文 令狐 端木 轩辕 百里 呼延 东郭 太史 申屠 "
    "公羊 澹台 公冶 宗政 濮阳 淳于 单于 仲孙 钟离 闻人 赫连 拓跋 西门 第五 完颜 万俟".split()
)
SURNAME_READINGS = {"曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "任": "ren", "盖": "ge", "区": "ou",
                    "朴": "piao", "尉": "wei", "翟": "zhai", "覃": "qin", "冼": "xian", "缪": "miao", "员": "yun", "秘": "bi",
                    "折": "she", "重": "chong", "召": "shao", "种": "chong", "乐": "yue", "华": "hua", "宁": "ning"}  # fmt: skip
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤萧阎傅常康施牛洪葛"
    "翁安季俞章鲁倪毕裴柯霍岳尚詹左殷焦包司祝盛凌柳穆颜华聂辛骆温耿关兰欧项曲祁舒纪柴冉卜牟党齐梅庄米宁路甘景单"
)
NICKNAMES = """
james jim jimmy jamie jem|robert bob rob bobby robbie bert|john jack johnny jon jock|michael mike mick mickey micky
david dave davy|william bill will billy willie willy liam|richard rick dick rich ricky richie|joseph joe joey jos
thomas tom tommy thos|christopher chris kit topher|charles charlie chuck chas charley|daniel dan danny
matthew matt matty|anthony tony ant|steven steve stephen stevie|andrew andy drew|joshua josh|kenneth ken kenny
timothy tim timmy|edward ed ted eddie teddy ned edwin|patricia pat patty tricia trish|jennifer jen jenny
elizabeth liz beth betty eliza lizzie bess betsy lisbeth elisabeth|barbara barb babs|susan sue susie suzy susanna
jessica jess jessie|margaret maggie peggy meg madge marge|deborah debbie deb debra|stephanie steph
rebecca becky becca|katherine kate kathy katie catherine kathryn kitty cathy|alexander alex alec sandy
samuel sam sammy|benjamin ben benny|nicholas nick nicky|george georgie|henry harry hal hank|frederick fred freddie freddy
francis frank frankie|arthur art artie|albert al bertie|walter walt wally|lawrence larry laurence|raymond ray
gerald gerry jerry|ronald ron ronnie|donald don donnie|philip phil phillip|peter pete|gregory greg|jeffrey jeff geoffrey geoff
victoria vicky vicki tori|alexandra alexa lexi|isabella bella isabel isobel isabelle|amanda mandy|christine chris tina christina
dorothy dot dottie dolly|eleanor ellie nell nellie|frances fran fanny|helen nell ellen|jacqueline jackie|judith judy
martha marty patty|mary molly polly may mamie|nancy nan|sarah sally sadie sara|theresa terry tess teresa|ann anne anna annie nan
emily em emmy|florence flo florrie|gertrude gertie trudy|harriet hattie|charlotte lottie charlie|josephine jo josie
abigail abby gail|zachary zach zack|nathaniel nathan nat nate|jonathan jonny|leonard leo len lenny|maximilian max maxwell
oliver ollie|patrick paddy pat|reginald reg reggie|rudolf rudy|theodore theo ted|vincent vince vinny|hugh hughie|ernest ernie
"""
STREET_TYPES = {
    "street": "st", "st": "st", "str": "st", "strasse": "st", "avenue": "av", "ave": "av", "av": "av", "road": "rd", "rd": "rd",
    "drive": "dr", "dr": "dr", "boulevard": "bl", "blvd": "bl", "lane": "ln", "ln": "ln", "court": "ct", "ct": "ct",
    "place": "pl", "pl": "pl", "crescent": "cr", "cres": "cr", "circuit": "ci", "cct": "ci", "close": "cl", "terrace": "te",
    "tce": "te", "highway": "hw", "hwy": "hw", "square": "sq", "sq": "sq", "parkway": "pk", "pkwy": "pk", "way": "wy", "row": "rw",
    "walk": "wk", "grove": "gr", "gardens": "gd", "plaza": "pz", "circle": "ci", "trail": "tr", "alley": "al", "loop": "lp",
    "lu": "rd", "jie": "st", "dadao": "av",
}  # fmt: skip
DIRECTIONS = {"north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
              "southwest": "sw", "n": "n", "s": "s", "e": "e", "w": "w", "ne": "ne", "nw": "nw", "se": "se", "sw": "sw"}  # fmt: skip
FREE_MAIL = frozenset(
    "qq.com 163.com 126.com 139.com 189.cn 188.com yeah.net sina.com sina.cn vip.sina.com vip.qq.com vip.163.com sohu.com "
    "foxmail.com aliyun.com tom.com 21cn.com wo.cn gmail.com googlemail.com outlook.com hotmail.com live.com msn.com "
    "yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.com.cn ymail.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.com "
    "web.de t-online.de orange.fr free.fr wanadoo.fr laposte.net libero.it mail.com mail.ru yandex.ru proton.me "
    "protonmail.com zoho.com btinternet.com comcast.net verizon.net att.net sbcglobal.net cox.net hotmail.co.uk hotmail.fr "
    "hotmail.de outlook.de outlook.fr bigpond.com telus.net rogers.com".split()
)
ROLE_USERS = frozenset(
    "info sales admin contact service hr office finance support help hello mail enquiries inquiry webmaster postmaster "
    "marketing accounting accounts billing invoice invoices purchase purchasing procurement order orders team jobs career "
    "careers recruit press media legal noreply no-reply customerservice customercare reception kontakt vertrieb verkauf buchhaltung "
    "einkauf compta commercial accueil kefu shichang caiwu caigou xiaoshou hr1 export import business it tech".split()
)
COUNTRIES = {
    "中国": "CN", "cn": "CN", "china": "CN", "chn": "CN", "prchina": "CN", "prc": "CN", "peoplesrepublicofchina": "CN", "中华人民共和国": "CN",
    "us": "US", "usa": "US", "unitedstates": "US", "unitedstatesofamerica": "US", "美国": "US", "america": "US",
    "gb": "GB", "uk": "GB", "unitedkingdom": "GB", "greatbritain": "GB", "england": "GB", "英国": "GB", "gbr": "GB",
    "de": "DE", "germany": "DE", "deutschland": "DE", "德国": "DE", "deu": "DE", "fr": "FR", "france": "FR", "法国": "FR", "fra": "FR",
    "sg": "SG", "singapore": "SG", "新加坡": "SG", "au": "AU", "australia": "AU", "澳大利亚": "AU", "ca": "CA", "canada": "CA", "加拿大": "CA",
    "jp": "JP", "japan": "JP", "日本": "JP", "hk": "HK", "hongkong": "HK", "香港": "HK", "tw": "TW", "taiwan": "TW", "台湾": "TW",
    "kr": "KR", "korea": "KR", "韩国": "KR", "it": "IT", "italy": "IT", "意大利": "IT", "es": "ES", "spain": "ES", "西班牙": "ES",
    "nl": "NL", "netherlands": "NL", "荷兰": "NL", "ch": "CH", "switzerland": "CH", "瑞士": "CH", "at": "AT", "austria": "AT",
    "in": "IN", "india": "IN", "印度": "IN", "se": "SE", "sweden": "SE", "dk": "DK", "denmark": "DK", "be": "BE", "belgium": "BE",
    "ie": "IE", "ireland": "IE", "pl": "PL", "poland": "PL", "pt": "PT", "portugal": "PT", "br": "BR", "brazil": "BR", "mx": "MX",
}  # fmt: skip


@cache
def concept_masks() -> dict[str, int]:
    """Industry word, Chinese or English -> bits of its concepts."""
    table: dict[str, int] = {}
    for number, line in enumerate(CONCEPTS.strip().splitlines()):
        han, _, latin = line.partition("|")
        for word in han.split() + latin.split():
            table.setdefault(word, 1 << number)
    for word, parts in COMPOUND.items():
        table[word] = 0
        for part in parts:
            table[word] |= table[part]
    return table


@cache
def han_endings() -> dict[str, int]:
    """Chinese industry words and, for cut short names, the first two characters of long ones."""
    words = {word: mask for word, mask in concept_masks().items() if not word.isascii()}
    cut = {word[:2]: mask for word, mask in words.items() if len(word) > 2}
    return cut | words


@cache
def nicknames() -> dict[str, str]:
    """Short form -> the full given name that stands for the whole group."""
    table: dict[str, str] = {}
    for group in NICKNAMES.replace("\n", "|").split("|"):
        names = group.split()
        for name in names:
            table.setdefault(name, names[0])
    return table
