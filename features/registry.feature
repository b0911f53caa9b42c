Feature: Keeping versions, and knowing which is active
  A version never changes, and every move of the pointer can be told.

  Rule: an empty registry can be bootstrapped, once

    Scenario: a stub where there is nothing
      Given nothing was ever published
      When the registry is bootstrapped
      Then a stub is active

    Scenario: never over what is there
      Given the versions A and B were published and activated
      When the registry is bootstrapped
      Then it is refused because a version is active
      And B is active

  Rule: any version that passed can be activated again

    Scenario: by hand, with a reason
      Given the versions A and B were published and activated
      When A is activated because "B misprices cabins"
      Then A is active
      And the last activation tells "B misprices cabins" and goes from B to A

    Scenario: not one that was never there
      Given the versions A and B were published and activated
      When a version that does not exist is activated
      Then it is refused as unknown
      And B is active

    Scenario: not one that the gate refused
      Given the versions A and B were published and activated
      And the version C was rejected by the gate
      When C is activated because "we like it"
      Then it is refused as rejected
      And B is active

    Scenario: not one that cannot be read
      Given the versions A and B were published and activated
      And the stored model of A is damaged
      When A is activated because "go back"
      Then it is refused as unreadable
      And B is active

  Rule: a rollback undoes the last move

    Scenario: back to the version before
      Given the versions A and B were published and activated
      When the registry is rolled back
      Then A is active

    Scenario: two rollbacks go back two
      Given the versions A, B and C were published and activated
      When the registry is rolled back
      And the registry is rolled back
      Then A is active

    Scenario: the first version has none before it
      Given the version A was published and activated
      When the registry is rolled back
      Then it is refused because there is nothing to go back to
      And A is active

  Rule: of two that move the pointer at once, one is told

    Scenario: the second to move finds that it came too late
      Given the versions A and B were published and activated
      And the version C was published
      When two operators, who both saw B active, activate A and then C
      Then the second is told that A is active
      And A is active

  Rule: the history tells every move

    Scenario: who, when, why, from and to
      Given the versions A, B and C were published and activated
      When the registry is rolled back
      Then the moves were A, B, C and B
      And each move but the first names the digest of the one before

    Scenario: an old pointer put back is refused
      Given the versions A and B were published and activated
      When somebody puts back the pointer to A
      Then the registry refuses the pointer as older than its history
