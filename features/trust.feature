Feature: Trusting what is stored
  Whoever can write to the storage must not be able to choose what homes are priced with.

  Rule: with a trusted key, only what it signed is used

    Scenario Outline: who signed decides
      Given the versions A and B were published by <publisher>
      When a service that trusts our key looks for its model
      Then it <outcome>
      Examples:
        | publisher  | outcome                     |
        | us         | prices homes by B           |
        | nobody     | refuses what is not signed  |
        | a stranger | refuses a key it cannot name |

  Rule: a service keeps its last good model

    Scenario Outline: whatever happens to a newer one
      Given the versions A and B were published by us
      And a service that trusts our key prices homes by B
      When a version C is activated and <damage>
      Then the service still prices homes by B
      And it tells that <reason>
      Examples:
        | damage                               | reason                           |
        | one bit of its arrays is flipped     | the SHA-256 of model.npz differs |
        | its manifest is signed by a stranger | not in REE_VERIFY_KEYS           |
        | its report is lost                   | report.html is missing           |
        | the pointer is put back to A         | latest.json is older             |

    Scenario: until the newer one is whole again
      Given the versions A and B were published by us
      And a service that trusts our key prices homes by B
      When a version C is activated and its report is lost
      And what was damaged is restored
      Then the service prices homes by C
