"""Find out how the text of a file is encoded, and decode it."""

import codecs
import warnings

from charset_normalizer import from_bytes

from cxresearch.errors import CxWarning, InputError
from cxresearch.study.urls import Place

_MARKS = (  # UTF-32 before UTF-16, whose mark it begins with
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ["gb18030", "cp949", "latin_1"]
_EVERYDAY = {
    "gb18030": frozenset(
        "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民"
        "得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社"
        "义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并"
        "提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强"
        "放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己"
        "美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群"
        "广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往"
        "酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局"
        "照参红细引听该铁价严龄男女满意般非常服务快递客户吃味送店差送货慢态度评价编号姓名职业学历收入住址地区城市省份"
    ),
    "cp949": frozenset(
        "이다는을가고하의에지로한도사은리를기어대나아인자서시수그해일부정스보있전라유적면들여었상없것성장제만않과구지신위동주무소오조으"
        "우세원거니까요게러안음미게연결관계분업회경국공학생년월간선진행방법용문내용본발비중체화현물건교통산남부모마음했습겠되된될됩"
        "네와서비스품질매우족통불친절배송속도직원태가격고객조사번호지역울산구천광경강충청라제주성별남여자나직업빠르늦요다싶포담잘설명"
        "만객님택배편점앱전화센터추천재매용의향응답값"
    ),
}
_SAMPLE = 200_000  # bytes shown to the detector
_PLAUSIBLE = 0.3  # share of everyday characters from which a text is hardly in another encoding


def find_encoding(raw: bytes) -> str:
    """Name the encoding of a text: byte order mark, then UTF-16, strict UTF-8, and at last the likeliest of three.

    Trial decoding cannot tell the last three apart (Korean text decodes as GB18030 without an error), so that
    charset-normalizer judges whether the text is Western, and everyday characters tell Chinese from Korean. Both see the lines
    with non-ASCII characters only.

    >>> find_encoding("满意度".encode()), find_encoding("满意度".encode("utf-8-sig"))
    ('utf-8', 'utf-8-sig')
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    if b"\0" in raw[:_SAMPLE]:  # no text in UTF-8 holds this byte; an ASCII character in UTF-16 does
        return "utf-16-be" if raw[:_SAMPLE:2].count(0) > raw[1:_SAMPLE:2].count(0) else "utf-16-le"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _likeliest(raw)
    return "utf-8"


def decode(raw: bytes, path: Place, encoding: str | None = None) -> tuple[str, str]:
    """Decode the bytes of a file; return the text and its encoding.

    Warns (CxWarning) where the given encoding fits the bytes but another makes more sense of them: latin-1 fits any.

    Raises
    ------
    InputError
        If `encoding` is unknown, or if the bytes are not text in that encoding.
    """
    name = encoding or find_encoding(raw)
    try:
        text = raw.decode(name)
    except LookupError as error:
        raise InputError(
            "`survey.encoding` must be an encoding that Python knows",
            f"found '{encoding}'",
            "Leave it out, or try utf-8.",
        ) from error
    except UnicodeError as error:
        found = find_encoding(raw) if encoding else "no encoding that fits"
        place = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise InputError(
            f"{path.name} must be text in {name}",
            f"found bytes that are none{place}",
            f"Leave `encoding` out: the file looks like {found}." if encoding else "Save the file as UTF-8.",
        ) from error
    text = text.removeprefix("\ufeff")
    if encoding and (likelier := _likelier(raw, text, encoding)):
        warnings.warn(
            f"{path.name} is read as {encoding} but looks like {likelier}; check `survey.encoding` or leave it out",
            CxWarning,
            stacklevel=2,
        )
    return text, name


def _likelier(raw: bytes, text: str, encoding: str) -> str:
    """The encoding that the bytes look like where it makes another text of them, or ''.

    Unicode is never met by chance. Of the others only everyday Chinese or Korean is told, and only to someone who gave an
    encoding of one byte a character, so that encodings that `find_encoding` does not know, such as Big5, are trusted.
    """
    found = find_encoding(raw)
    if found == "latin_1" or raw.decode(found, "replace").removeprefix("\ufeff") == text:
        return ""
    if found in _EVERYDAY:
        one_byte = len(bytes(range(128, 256)).decode(encoding, "replace")) == 128
        return found if one_byte and _everyday_share(_sample(raw), found) >= _PLAUSIBLE else ""
    return found


def _sample(raw: bytes) -> bytes:
    return b"\n".join(line for line in raw.splitlines() if not line.isascii())[:_SAMPLE]


def _likeliest(raw: bytes) -> str:
    sample = _sample(raw)
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    if best is None:
        return "latin_1"  # which decodes any byte
    return (
        best.encoding if best.encoding == "latin_1" else max(_EVERYDAY, key=lambda name: _everyday_share(sample, name))
    )


def _everyday_share(sample: bytes, encoding: str) -> float:
    """Share of everyday characters in the sample, read in this encoding: the detector is at sea with a few short words."""
    letters = [letter for letter in sample.decode(encoding, "replace") if letter.isalpha() and not letter.isascii()]
    return sum(letter in _EVERYDAY[encoding] for letter in letters) / max(len(letters), 1)
