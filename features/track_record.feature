Feature: The track record
  Estimates are compared with what homes then sold for: the accuracy that a user can believe.

  Background:
    Given every home in town sold for 5 000 000 kr
    And a month has 100 sales
    And on 1 April a model that misses by 500 000 kr was trained on January to March 2026
    And it is in use

  Rule: the version that was in use when a month came in is scored on it, not the one it trains

    Scenario: a better model comes after
      When on 1 May a model that misses by 100 000 kr is trained on January to April 2026
      Then April 2026 is on the track record of the first version, with an error of 10 %
      And no month is on the track record of the second version

    Scenario: what is trained next is scored on the month after
      Given on 1 May a model that misses by 100 000 kr was trained on January to April 2026
      When on 1 June a model that misses by 50 000 kr is trained on January to May 2026
      Then April 2026 is on the track record of the first version, with an error of 10 %
      And May 2026 is on the track record of the second version, with an error of 2 %

    Scenario: a refused model does not come into use, and has no track record
      Given on 1 May a model that misses by 900 000 kr was trained on January to April 2026
      When on 1 June a model that misses by 400 000 kr is trained on January to May 2026
      Then May 2026 is on the track record of the first version, with an error of 10 %
      And 2 months are on the track record

    Scenario: months that come in together are each scored
      When on 1 June a model that misses by 400 000 kr is trained on January to May 2026
      Then April 2026 is on the track record of the first version, with an error of 10 %
      And May 2026 is on the track record of the first version, with an error of 10 %

  Rule: only sales that are newer than all the version was trained on count

    Scenario: a month that it was trained on is fetched again
      Given a fetch of March 2026 came back otherwise on 20 April
      Then no month is on the track record

    Scenario: a month that it knows the beginning of
      Given on 20 April a model that misses by 100 000 kr was trained until 15 April 2026
      When on 1 May a model that misses by 50 000 kr is trained on January to April 2026
      Then April 2026 is on the track record of the second version, with an error of 2 %
      And 50 sales of April 2026 counted and 50 were within the training period

  Rule: only what a model could have valued counts, and the rest is told

    Scenario: a home without a build year
      Given a home without a build year sold in April 2026
      When on 1 May a model that misses by 100 000 kr is trained on January to April 2026
      Then 100 sales of April 2026 counted and 1 was left out for missing:built_year

  Rule: a month is scored once

    Scenario: it is trained on again
      Given on 1 May a model that misses by 100 000 kr was trained on January to April 2026
      When on 2 May a model that misses by 50 000 kr is trained on February to April 2026
      Then April 2026 is on the track record of the first version, with an error of 10 %
      And it was scored on 1 May

  Rule: only whole months, and only of models

    Scenario: a part of a month
      When on 20 April a model that misses by 100 000 kr is trained until 15 April 2026
      Then no month is on the track record

    Scenario: a stub says nothing of any home
      Given only a stub is in use
      When on 1 May a model that misses by 100 000 kr is trained on January to April 2026
      Then no month is on the track record

    Scenario: nothing is scored in a dry run
      When on 1 May January to April 2026 is only fetched
      Then no month is on the track record

  Rule: no retrain fails for it, and nothing wrong is kept

    Scenario: the version of that time cannot be read any more
      Given on 1 May January to April 2026 was only fetched
      And the first version cannot be read
      When on 2 May a model that misses by 100 000 kr replaces it, trained on January to April 2026
      Then the second version is in use
      And a warning says that April 2026 was not scored
      And no month is on the track record

    Scenario: it can be read again
      Given on 1 May January to April 2026 was only fetched
      And the first version cannot be read
      And on 2 May a model that misses by 100 000 kr replaced it, trained on January to April 2026
      And the first version can be read again
      When on 1 June a model that misses by 50 000 kr is trained on January to May 2026
      Then April 2026 is on the track record of the first version, with an error of 10 %

    Scenario: what was recorded is damaged
      Given on 1 May a model that misses by 100 000 kr was trained on January to April 2026
      And the record of April 2026 is damaged
      When on 1 June a model that misses by 50 000 kr is trained on January to May 2026
      Then April 2026 is not on the track record
      And May 2026 is on the track record of the second version, with an error of 2 %

  Rule: a new version keeps the track record of those before it

    Scenario: for its report
      Given on 1 May a model that misses by 100 000 kr was trained on January to April 2026
      When on 1 June a model that misses by 50 000 kr is trained on January to May 2026
      Then the version in use tells that April was missed by 10 % and May by 2 %
