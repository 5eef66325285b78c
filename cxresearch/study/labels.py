"""What codes are called: constructs, items, groups and their values."""

from collections.abc import Mapping

from cxresearch.study.file import StudyFile

_REVERSED = {"en": " (reversed)", "zh": "（反向计分）"}  # an item's numbers are those after reversal: say so


def labels_of(
    file: StudyFile,
    *,
    variable_labels: Mapping[str, str] | None = None,
    value_labels: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """Code -> label, from the study file, and where it says nothing from the labels that .sav and .dta files carry.

    Constructs and group columns have their label; items and single columns "code · wording", or the code where there is no
    wording, with a mark if they were reversed; values of a column have the key "column=value".

    >>> demo = {"study": "demo", "constructs": {"speed": {"items": {"spd1": "Parcels come quickly"}}}}
    >>> labels_of(StudyFile.model_validate(demo))
    {'spd1': 'spd1 · Parcels come quickly', 'speed': 'speed'}
    """
    said = variable_labels or {}
    asked = [file.outcome, *file.drivers, file.recommend]
    wording = {column: "" for column in asked if column}
    for construct in file.constructs.values():
        wording |= construct.items
    wording = {code: text or said.get(code, "") for code, text in wording.items()}
    labels = {code: f"{code} · {text}" if text else code for code, text in wording.items()}
    for construct in file.constructs.values():
        labels |= {item: labels[item] + _REVERSED[file.language] for item in construct.reversed}
    labels |= {name: construct.label or name for name, construct in file.constructs.items()}
    labels |= {column: label or said.get(column, column) for column, label in file.groups.items()}
    for column, values in (value_labels or {}).items():
        labels |= {f"{column}={value}": label for value, label in values.items()}
    return labels
