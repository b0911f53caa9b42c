"""What the market API sends, read strictly: nothing is coerced, unknown fields are passed over."""

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from ..domain.property import Property
from ..domain.turnover import Turnover, Unit

Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Digits = Annotated[str, Meta(pattern=r"\A[0-9]+\Z")]


class TurnoverAttributes(Struct, frozen=True):
    cadastral_unit_ids: tuple[Id, ...]
    price: float | None = None
    turnover_date: str | None = None


class TurnoverRecord(Struct, frozen=True):
    attributes: TurnoverAttributes

    def turnover(self) -> Turnover:
        told = self.attributes
        return Turnover(told.cadastral_unit_ids, told.price, told.turnover_date)


class TurnoverPage(Struct, frozen=True):
    data: tuple[TurnoverRecord, ...]


class UnitRecord(Struct, frozen=True):
    full_unit: str
    property_ids: tuple[Id, ...]

    def unit(self) -> Unit:
        return Unit(self.full_unit, self.property_ids)


class PropertyRecord(Struct, frozen=True):
    realestate_type: str | None = None
    municipality_number: int | Digits | None = None
    lat: float | None = None
    lon: float | None = None
    built_year: float | None = None
    total_area: float | None = None
    bra: float | None = None
    floor: float | None = None
    bedrooms: float | None = None
    rooms: float | None = None

    def home(self) -> Property:
        return Property(
            realestate_type=self.realestate_type,
            municipality_number=self.municipality_number,
            lat=self.lat,
            lon=self.lon,
            built_year=self.built_year,
            total_area=self.total_area,
            usable_area=self.bra,
            floor=self.floor,
            bedrooms=self.bedrooms,
            rooms=self.rooms,
        )


TURNOVERS = Decoder(TurnoverPage)
UNITS = Decoder(dict[int, UnitRecord | None])
PROPERTIES = Decoder(dict[int, PropertyRecord | None])
