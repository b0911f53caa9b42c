"""A simulated home as the market API sends it."""

from math import isnan

from .homes import Homes
from .market import PropertyRecord
from .traits import LEILIGHET, TYPES


def full_unit(homes: Homes, home: int, municipality: int) -> str:
    """Municipality, then gnr, bnr, fnr and snr."""
    gnr, bnr, snr = homes.cadastre[home].tolist()
    return f"{municipality:04}-{gnr}/{bnr}/0/{snr}"


def parameters(homes: Homes, home: int, municipality: int) -> PropertyRecord:
    kind = int(homes.kind[home])
    gnr, bnr, snr = homes.cadastre[home].tolist()
    record = PropertyRecord(
        realestate_type=TYPES[kind],
        municipality_number=municipality,
        lat=float(homes.lat[home]),
        lon=float(homes.lon[home]),
        total_area=float(homes.total_area[home]),
        bra=float(homes.bra[home]),
        gnr_number=gnr,
        bnr_number=bnr,
    )
    if kind == LEILIGHET:
        record["snr_number"] = snr
    if not isnan(built_year := homes.built_year[home]):
        record["built_year"] = int(built_year)
    if not isnan(floor := homes.floor[home]):
        record["floor"] = int(floor)
    if not isnan(bedrooms := homes.bedrooms[home]):
        record["bedrooms"] = int(bedrooms)
    if not isnan(rooms := homes.rooms[home]):
        record["rooms"] = int(rooms)
    return record
