//! A handler that does not fit its event does not compile, and the error says what would fit.

#[test]
fn handlers_are_checked_against_their_events() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass.rs");
    cases.compile_fail("tests/ui/wrong_*.rs");
}
