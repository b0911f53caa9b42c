Feature: Estimating what homes are worth
  Better no result than a wrong one.

  Background:
    Given the newest sale that the model knows was on 2026-01-31
    And homes are worth 50 000 kr per m2

  Rule: a sound home gets a price

    Scenario: an apartment
      When a leilighet of 80 m2 on floor 3 in Oslo is valued on 2026-02-01
      Then its estimated price is 4 000 000 kr
      And its price per m2 is 50 000 kr
      And there is no warning

    Scenario: a stub says what it is
      Given the active model is a stub
      When a leilighet of 80 m2 on floor 3 in Oslo is valued on 2026-02-01
      Then the warning is stub:model

    Scenario: a municipality that is not on the list
      When a leilighet of 80 m2 on floor 3 in municipality 9876 is valued on 2026-02-01
      Then the warning is unknown:municipality_number

    Scenario: a municipality number from before a reform
      When a leilighet of 80 m2 on floor 3 in municipality 0219 is valued on 2026-02-01
      Then its estimated price is 4 000 000 kr
      And the warning is renumbered:municipality_number

    Scenario: without a model there is no price
      Given no model is active
      When a leilighet of 80 m2 on floor 3 in Oslo is valued on 2026-02-01
      Then it is refused because no model is ready

  Rule: a home that breaks a rule gets none

    Scenario Outline: what is refused
      When a home with <field> <value> is valued
      Then it is refused as <code>

      Examples:
        | field               | value           | code                        |
        | realestate_type     | næringseiendom  | unsupported:realestate_type |
        | realestate_type     | slott           | invalid:realestate_type     |
        | municipality_number | 30123           | invalid:municipality_number |
        | lat                 | 90.1            | invalid:latlon              |
        | lon                 | -180.1          | invalid:latlon              |
        | built_year          | 1599            | invalid:built_year          |
        | built_year          | 2029            | invalid:built_year          |
        | usable_area         | 4.9             | invalid:usable_area         |
        | usable_area         | 5001            | invalid:usable_area         |
        | total_area          | 79              | invalid:total_area_lt_bra   |
        | total_area          | 1000001         | invalid:total_area          |
        | floor               | 101             | invalid:floor               |
        | bedrooms            | -1              | invalid:bedrooms            |
        | rooms               | 201             | invalid:rooms               |

    Scenario Outline: what is just allowed
      When a home with <field> <value> is valued
      Then it is priced

      Examples:
        | field       | value |
        | lat         | 90    |
        | built_year  | 1600  |
        | built_year  | 2028  |
        | usable_area | 5     |
        | total_area  | 80    |
        | floor       | -20   |
        | rooms       | 0     |

    Scenario: all that is missing is told at once
      When a home without lat and lon is valued
      Then it is refused as missing:lat,lon

    Scenario: an apartment needs its floor
      When a home without floor is valued
      Then it is refused as missing:floor_for_leilighet

  Rule: one bad home spoils the batch, unless it may be skipped

    Scenario: by default nothing is priced, and every fault is told
      When a sound home, one of 4 m2 and one on floor 500 built in 1500 are valued
      Then nothing is priced
      And the faults are
        | home   | code                |
        | second | invalid:usable_area |
        | third  | invalid:built_year  |
        | third  | invalid:floor       |

    Scenario: where they may be skipped, the rest is priced
      When a sound home, one of 4 m2 and one on floor 500 built in 1500 are valued, skipping the invalid
      Then the first is priced and the others are refused

    Scenario: an empty batch is refused
      When no home is valued
      Then the batch is refused

    Scenario Outline: a batch has an upper limit
      Given at most 3 homes may be valued at once
      When <homes> sound homes are valued
      Then the batch is <answer>

      Examples:
        | homes | answer  |
        | 3     | priced  |
        | 4     | refused |

  Rule: a valuation stays near the sales that the model knows

    Scenario Outline: the date of the valuation decides
      When a leilighet of 80 m2 on floor 3 in Oslo is valued on <date>
      Then it is <answer>

      Examples:
        | date       | answer                               |
        | 2026-01-15 | priced                               |
        | 2026-07-31 | priced                               |
        | 2026-08-01 | priced with stale:valuation_date     |
        | 2027-07-31 | priced with stale:valuation_date     |
        | 2027-08-01 | refused as out_of_domain:valuation_date |

  Rule: a home is like those that were sold

    Scenario Outline: how far it is from them, in space, size and age, decides
      Given the model knows 300 flats in one street, of 60 to 100 m2 and built from 1960 to 2020
      When a leilighet <unlike> is valued
      Then it is <answer>

      Examples:
        | unlike                | answer                                 |
        | of 80 m2              | priced                                 |
        | 9 km from the street  | priced                                 |
        | 11 km from the street | priced with near_edge:distance         |
        | 19 km from the street | priced with near_edge:distance         |
        | 21 km from the street | refused as out_of_domain:distance      |
        | of 49 m2              | priced with near_edge:usable_area      |
        | of 47 m2              | refused as out_of_domain:usable_area   |
        | of 124 m2             | priced with near_edge:usable_area      |
        | of 126 m2             | refused as out_of_domain:usable_area   |
        | built in 1936         | priced with near_edge:age              |
        | built in 1934         | refused as out_of_domain:age           |

    Scenario: a type that was never sold
      Given the model knows 300 flats in one street, of 60 to 100 m2 and built from 1960 to 2020
      When a home with realestate_type enebolig is valued
      Then it is refused as out_of_domain:realestate_type

    Scenario: every respect in which it is too far is told
      Given the model knows 300 flats in one street, of 60 to 100 m2 and built from 1960 to 2020
      When a leilighet of 47 m2 built in 1934 21 km from the street is valued
      Then the faults are
        | home | code                      |
        | 1    | out_of_domain:distance    |
        | 1    | out_of_domain:usable_area |
        | 1    | out_of_domain:age         |

  Rule: an estimate says how sure it is

    Scenario: of a model that knows how far off it was
      Given the model knows 300 flats in one street, of 60 to 100 m2 and built from 1960 to 2020
      When a leilighet of 80 m2 is valued
      Then nine of ten such homes sell for a price around its own
      And the confidence is high

    Scenario: a model that does not know says nothing
      When a leilighet of 80 m2 on floor 3 in Oslo is valued on 2026-02-01
      Then nothing is said of how sure that is
