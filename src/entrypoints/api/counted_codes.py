"""The codes that refusals and warnings are counted by: closed sets, so that series stay few."""

from ...domain.property import IGNORED, NUMBERS
from ...domain.rules import PROPERTY_RULES, REQUIRED

RESPECTS = (
    "age",
    "distance",
    "municipality_number",
    "realestate_type",
    "total_area",
    "usable_area",
)
"""In which homes may be unlike those that were sold (ree.adapters.training_domain)."""
OTHER = "other"
_FIELDS = ("municipality_number", "realestate_type", *NUMBERS, *IGNORED)
_SEVERAL, _UNKNOWN = "missing:several", "unknown:field"
REFUSED = frozenset(
    {
        *(rule.code for rule in PROPERTY_RULES),
        *(f"missing:{name}" for name in REQUIRED),
        *(f"invalid_type:{name}" for name in (*_FIELDS, "property")),
        *(f"not_finite:{name}" for name in (*NUMBERS, *IGNORED)),
        *(f"out_of_domain:{name}" for name in (*RESPECTS, "price", "valuation_date")),
        *("ambiguous:usable_area", "invalid:property_id", _SEVERAL, _UNKNOWN, OTHER),
    }
)
NEAR_EDGE = {f"near_edge:{name}": name for name in (*RESPECTS, "valuation_date")}
"""Respects by the warning."""


def counted(code: str) -> str:
    """One of REFUSED: what people named is left out, as are combinations of what is missing."""
    if code in REFUSED:
        return code
    family = code.partition(":")[0]
    return {"missing": _SEVERAL, "unknown": _UNKNOWN}.get(family, OTHER)
