Feature: Explaining an estimate
  Whoever is told a price can see what it is made of, and check it.

  Background:
    Given 300 flats of 60 to 100 m2 in one street were sold in 2025 for 50 000 kr per m2
    And flats of 80 m2 in a lane 5 km away were sold
      | on         | for          |
      | 2025-03-10 | 3 900 000 kr |
      | 2025-06-20 | 4 100 000 kr |
      | 2025-11-05 | 4 200 000 kr |
    And homes are priced by a model of these sales

  Rule: a base and what each group of facts adds are the price, to the krone

    Scenario: a large flat in the street, valued after the newest sale
      When a flat of 95 m2 in the street is valued on 2026-01-15 and explained
      Then base and contributions add up to its price
      And its size adds to it
      And its location, type and time add 0 kr

    Scenario: the same base for all
      When a flat of 65 m2 in the lane is valued on 2025-09-01 and explained
      And a flat of 95 m2 in the street is valued on 2026-01-15 and explained
      Then both have the same base

    Scenario: a stub tells nothing apart
      Given homes are priced by a stub
      When a flat of 95 m2 in the street is valued on 2026-01-15 and explained
      Then all of its price is base
      And no comparable sale is told

    Scenario: only if asked for
      When a flat of 95 m2 in the street is valued on 2026-01-15
      Then nothing is explained

  Rule: the sales that counted most are told, none from after the valuation

    Scenario Outline: the date of the valuation decides
      When a flat of 80 m2 in the lane is valued on <date> and explained
      Then the first sales that are told were on <days>
      And none is from after <date>

      Examples:
        | date       | days                               |
        | 2025-07-01 | 2025-06-20, 2025-03-10             |
        | 2025-11-04 | 2025-06-20, 2025-03-10             |
        | 2025-11-05 | 2025-11-05, 2025-06-20, 2025-03-10 |
        | 2026-01-15 | 2025-11-05, 2025-06-20, 2025-03-10 |

    Scenario: what was paid, and what that is today
      When a flat of 80 m2 in the lane is valued on 2025-11-05 and explained
      Then the sale on 2025-11-05 was for 4 200 000 kr, which is 4 200 000 kr now
      And the sale on 2025-06-20 was for 4 100 000 kr
