Feature: Drift
  A model knows the homes and prices that it was trained on. Once others are sold it has to be
  trained again, and somebody has to notice.

  Background:
    Given every home in town sold for 5 000 000 kr

  Rule: prices lie less than 5 % above or below the estimates; from 10 % on the model has drifted

    Scenario Outline: the median price of a month decides
      Given homes are priced by a model of January to March
      When homes sell for <price> kr in April
      Then the price level is <verdict>
      And the month is <verdict>

      Examples:
        | price     | verdict |
        | 5 000 000 | stable  |
        | 5 249 999 | stable  |
        | 5 250 000 | watch   |
        | 5 499 999 | watch   |
        | 5 500 000 | drifted |
        | 6 500 000 | drifted |
        | 4 750 001 | stable  |
        | 4 750 000 | watch   |
        | 4 500 001 | watch   |
        | 4 500 000 | drifted |

  Rule: less than 12.5 % of the homes are of another type than before; from 20 % on it has drifted

    Scenario Outline: half of the homes were flats
      Given a month has 200 sales of an enebolig and 200 of a leilighet
      And homes are priced by a model of January to March
      When <flats> of 400 homes that are sold in April are a leilighet
      Then the type is <verdict>
      And the month is <verdict>

      Examples:
        | flats | verdict |
        | 200   | stable  |
        | 249   | stable  |
        | 250   | watch   |
        | 279   | watch   |
        | 280   | drifted |
        | 151   | stable  |
        | 150   | watch   |
        | 120   | drifted |
        | 0     | drifted |

  Rule: homes that were rare and are not any more count beyond their share

    Scenario Outline: the population stability index is watched from 0.10 on, drifted from 0.25 on
      Given a month has 4 sales of a hytte and 396 of a leilighet
      And homes are priced by a model of January to March
      When <cabins> of 400 homes that are sold in April are a hytte
      Then the type is <verdict>

      Examples:
        | cabins | verdict |
        | 4      | stable  |
        | 25     | stable  |
        | 26     | watch   |
        | 44     | watch   |
        | 45     | drifted |

  Rule: fewer than 300 sales tell nothing

    Scenario Outline: in a quiet month nothing is said
      Given homes are priced by a model of January to March
      When <sales> homes sell for 6 500 000 kr in April
      Then the price level is <verdict>
      And the month is <verdict>

      Examples:
        | sales | verdict |
        | 0     | too_few |
        | 299   | too_few |
        | 300   | drifted |

  Rule: what was found is kept, and the same sales give the same report

    Scenario: the same month is looked at again
      Given homes are priced by a model of January to March
      And April was looked at
      When April is looked at again the day after
      Then the report is the one of before
      And no object in the storage has changed

    Scenario: the last month that is over is looked at
      Given homes are priced by a model of January to March
      When nobody says which month to look at
      Then it is May 2026
      And the newest report is of May 2026

    Scenario: a month is over when it is in Oslo
      Given homes are priced by a model of January to March
      And it is 5 minutes past midnight in Oslo on 1 June
      When nobody says which month to look at
      Then it is May 2026

    Scenario: a report says that the model knows the sales already
      Given homes are priced by a model of January to March
      When March is looked at
      Then the report says that the model was trained on sales of the month

  Rule: what cannot be told is not guessed

    Scenario: a version that keeps nothing of its training data
      Given homes are priced by a version from before drift was looked for
      When April is looked at
      Then it fails because the version keeps nothing of its training data
      And there is no report

    Scenario: no version at all
      When April is looked at
      Then it fails because no model is active

    Scenario: a month that is not over
      Given homes are priced by a model of January to March
      When June is looked at
      Then it fails because the month is not over
