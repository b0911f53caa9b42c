Feature: Retraining on a period
  Past sales are fetched by month, kept as they came, counted at every stage, and trained on.

  Background:
    Given every home in town sold for 5 000 000 kr

  Rule: every turnover is accounted for

    Scenario Outline: a turnover that cannot be used is counted under its reason
      Given a month has 20 sales
      And one turnover more that <what>
      When January 2026 is fetched
      Then 21 turnovers came in and 20 can be trained on
      And 1 was dropped as <reason>

      Examples:
        | what                                 | reason                     |
        | is told twice                        | duplicate_turnover         |
        | has a date that does not parse       | invalid:turnover_date      |
        | was on 1 February at 00:30 in Oslo   | outside_period             |
        | concerns two units                   | multi_unit                 |
        | has no price                         | invalid:price              |
        | concerns a unit nobody knows         | unmatched:unit             |
        | concerns a unit with two properties  | multi_property             |
        | concerns a property without features | unmatched:property         |
        | sold the same property again         | resale_within_window       |
        | has a home without a build year      | missing:built_year         |
        | has a leilighet without a floor      | missing:floor_for_leilighet |
        | has a shop                           | unsupported:realestate_type |
        | has a home of 4 m2                   | invalid:usable_area        |
        | has a home larger than its total     | invalid:total_area_lt_bra  |
        | has a price of 500 kr per m2         | outlier:price_per_sqm      |

    Scenario: a row counts under the first rule that it breaks
      Given a month has 20 sales
      And one turnover more that has a shop of 4 m2
      When January 2026 is fetched
      Then 1 was dropped as unsupported:realestate_type
      And nothing was dropped as invalid:usable_area

    Scenario: of two sales of one property the newer is kept
      Given a month has 20 sales
      And one turnover more that sold the same property again
      When January 2026 is fetched
      Then the kept sale of that property is the newer one

  Rule: a month that was fetched after it ended is not fetched again

    Scenario: a second run asks the market nothing
      Given a month has 20 sales
      And January 2026 was fetched
      When January 2026 is fetched again
      Then the market was not asked
      And no object in the storage has changed but for the report of the run

    Scenario: a longer window fetches what is missing
      Given a month has 20 sales
      And January 2026 was fetched
      When January and February 2026 are fetched
      Then the market was asked for February 2026 only

    Scenario: a forced fetch is kept beside the first
      Given a month has 20 sales
      And January 2026 was fetched
      When January 2026 is fetched again by force
      Then there are 2 snapshots of January 2026

    Scenario: a fetch that was interrupted does not count
      Given a month has 20 sales
      And a fetch of January 2026 was interrupted before its manifest
      When January 2026 is fetched
      Then the market was asked for January 2026 only

  Rule: a period must be over

    Scenario Outline: a period that ends today or later is refused
      Given it is 2026-06-15
      When the period from 2026-05-01 to <end> is trained
      Then it is <answer>

      Examples:
        | end        | answer  |
        | 2026-06-14 | trained |
        | 2026-06-15 | refused |
        | 2026-06-16 | refused |

  Rule: the newest sales are held out

    Scenario Outline: how they are chosen
      Given a month has 100 sales
      When the period from <start> to <end> is trained
      Then the holdout begins on <holdout>

      Examples:
        | start      | end        | holdout    |
        | 2026-01-01 | 2026-03-31 | 2026-03-01 |
        | 2026-01-01 | 2026-04-15 | 2026-04-01 |
        | 2026-03-01 | 2026-04-15 | 2026-04-07 |

  Rule: a dry run stops before training

    Scenario: snapshots and dataset are there, and no model
      Given a month has 20 sales
      When January 2026 is fetched
      Then there is no new version
      And the dataset of January 2026 is stored
