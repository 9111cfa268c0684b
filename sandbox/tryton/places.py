"""Countries and their first-level divisions (ISO 3166-1 and 3166-2); Tryton starts with none."""

COUNTRIES: dict[str, tuple[str, str, str]] = {
    # alpha-2: (alpha-3, numeric, name)
    "AE": ("ARE", "784", "United Arab Emirates"),
    "AR": ("ARG", "032", "Argentina"),
    "AT": ("AUT", "040", "Austria"),
    "AU": ("AUS", "036", "Australia"),
    "BD": ("BGD", "050", "Bangladesh"),
    "BE": ("BEL", "056", "Belgium"),
    "BR": ("BRA", "076", "Brazil"),
    "CA": ("CAN", "124", "Canada"),
    "CH": ("CHE", "756", "Switzerland"),
    "CL": ("CHL", "152", "Chile"),
    "CN": ("CHN", "156", "China"),
    "CO": ("COL", "170", "Colombia"),
    "CZ": ("CZE", "203", "Czechia"),
    "DE": ("DEU", "276", "Germany"),
    "DK": ("DNK", "208", "Denmark"),
    "EG": ("EGY", "818", "Egypt"),
    "ES": ("ESP", "724", "Spain"),
    "FI": ("FIN", "246", "Finland"),
    "FR": ("FRA", "250", "France"),
    "GB": ("GBR", "826", "United Kingdom"),
    "GR": ("GRC", "300", "Greece"),
    "HK": ("HKG", "344", "Hong Kong"),
    "HU": ("HUN", "348", "Hungary"),
    "ID": ("IDN", "360", "Indonesia"),
    "IE": ("IRL", "372", "Ireland"),
    "IL": ("ISR", "376", "Israel"),
    "IN": ("IND", "356", "India"),
    "IT": ("ITA", "380", "Italy"),
    "JP": ("JPN", "392", "Japan"),
    "KE": ("KEN", "404", "Kenya"),
    "KR": ("KOR", "410", "South Korea"),
    "KZ": ("KAZ", "398", "Kazakhstan"),
    "LU": ("LUX", "442", "Luxembourg"),
    "MO": ("MAC", "446", "Macao"),
    "MX": ("MEX", "484", "Mexico"),
    "MY": ("MYS", "458", "Malaysia"),
    "NG": ("NGA", "566", "Nigeria"),
    "NL": ("NLD", "528", "Netherlands"),
    "NO": ("NOR", "578", "Norway"),
    "NZ": ("NZL", "554", "New Zealand"),
    "PH": ("PHL", "608", "Philippines"),
    "PK": ("PAK", "586", "Pakistan"),
    "PL": ("POL", "616", "Poland"),
    "PT": ("PRT", "620", "Portugal"),
    "RO": ("ROU", "642", "Romania"),
    "RU": ("RUS", "643", "Russia"),
    "SA": ("SAU", "682", "Saudi Arabia"),
    "SE": ("SWE", "752", "Sweden"),
    "SG": ("SGP", "702", "Singapore"),
    "TH": ("THA", "764", "Thailand"),
    "TR": ("TUR", "792", "Türkiye"),
    "TW": ("TWN", "158", "Taiwan"),
    "UA": ("UKR", "804", "Ukraine"),
    "US": ("USA", "840", "United States"),
    "VN": ("VNM", "704", "Viet Nam"),
    "ZA": ("ZAF", "710", "South Africa"),
}

# country: division type: {code without the country: name}
SUBDIVISIONS: dict[str, dict[str, dict[str, str]]] = {
    "CN": {
        "municipality": {"BJ": "北京市", "CQ": "重庆市", "SH": "上海市", "TJ": "天津市"},
        "province": {
            "AH": "安徽省", "FJ": "福建省", "GD": "广东省", "GS": "甘肃省", "GZ": "贵州省",
            "HA": "河南省", "HB": "湖北省", "HE": "河北省", "HI": "海南省", "HL": "黑龙江省",
            "HN": "湖南省", "JL": "吉林省", "JS": "江苏省", "JX": "江西省", "LN": "辽宁省",
            "QH": "青海省", "SC": "四川省", "SD": "山东省", "SN": "陕西省", "SX": "山西省",
            "TW": "台湾省", "YN": "云南省", "ZJ": "浙江省",
        },
        "autonomous region": {
            "GX": "广西壮族自治区", "NM": "内蒙古自治区", "NX": "宁夏回族自治区",
            "XJ": "新疆维吾尔自治区", "XZ": "西藏自治区",
        },
        "special administrative region": {"HK": "香港特别行政区", "MO": "澳门特别行政区"},
    },
    "US": {
        "state": {
            "AK": "Alaska", "AL": "Alabama", "AR": "Arkansas", "AZ": "Arizona",
            "CA": "California", "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware",
            "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "IA": "Iowa", "ID": "Idaho",
            "IL": "Illinois", "IN": "Indiana", "KS": "Kansas", "KY": "Kentucky",
            "LA": "Louisiana", "MA": "Massachusetts", "MD": "Maryland", "ME": "Maine",
            "MI": "Michigan", "MN": "Minnesota", "MO": "Missouri", "MS": "Mississippi",
            "MT": "Montana", "NC": "North Carolina", "ND": "North Dakota", "NE": "Nebraska",
            "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada",
            "NY": "New York", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
            "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina",
            "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah",
            "VA": "Virginia", "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin",
            "WV": "West Virginia", "WY": "Wyoming",
        },
        "district": {"DC": "District of Columbia"},
    },
    "DE": {
        "land": {
            "BB": "Brandenburg", "BE": "Berlin", "BW": "Baden-Württemberg", "BY": "Bayern",
            "HB": "Bremen", "HE": "Hessen", "HH": "Hamburg", "MV": "Mecklenburg-Vorpommern",
            "NI": "Niedersachsen", "NW": "Nordrhein-Westfalen", "RP": "Rheinland-Pfalz",
            "SH": "Schleswig-Holstein", "SL": "Saarland", "SN": "Sachsen",
            "ST": "Sachsen-Anhalt", "TH": "Thüringen",
        },
    },
}  # fmt: skip


def country_rows() -> list[dict[str, str]]:
    return [
        {"code": code, "code3": code3, "code_numeric": numeric, "name": name}
        for code, (code3, numeric, name) in COUNTRIES.items()
    ]


def subdivision_rows(country_ids: dict[str, int]) -> list[dict[str, str | int]]:
    return [
        {"code": f"{country}-{code}", "name": name, "type": kind, "country": country_ids[country]}
        for country, kinds in SUBDIVISIONS.items()
        for kind, names in kinds.items()
        for code, name in names.items()
    ]
