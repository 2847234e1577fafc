//! Misuse of the derive macro gives one readable error each.

#[test]
fn misuse_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
