use proptest::prelude::*;

use super::{operand::is_pattern_text, *};

fn parsed(text: &str) -> String {
    Rql::parse(text).unwrap().to_string()
}

#[test]
fn every_spelling_is_read() {
    for (text, printed) in [
        ("", ""),
        (" ", ""),
        ("status=pending", "eq(status,pending)"),
        ("n=ge=3", "ge(n,3)"),
        ("a=like=b*", "like(a,b*)"),
        ("s=in=(a,b)", "in(s,(a,b))"),
        ("a=1&b=2", "and(eq(a,1),eq(b,2))"),
        ("a=1,b=2", "and(eq(a,1),eq(b,2))"),
        ("a=1,b=2&c=3", "and(eq(a,1),eq(b,2),eq(c,3))"),
        ("a=1|b=2", "or(eq(a,1),eq(b,2))"),
        ("a=1;b=2", "or(eq(a,1),eq(b,2))"),
        ("(a=1&b=2)|c=3", "or(and(eq(a,1),eq(b,2)),eq(c,3))"),
        ("(a=1&b=2|c=3)", "or(and(eq(a,1),eq(b,2)),eq(c,3))"),
        ("(a=1|b=2&c=3)", "or(eq(a,1),and(eq(b,2),eq(c,3)))"),
        ("(a=1|b=2)&c=3", "and(or(eq(a,1),eq(b,2)),eq(c,3))"),
        ("(a=1,b=2)", "and(eq(a,1),eq(b,2))"),
        ("((a=1))", "eq(a,1)"),
        ("and(a=1&b=2,(c=3;d=4))", "and(eq(a,1),eq(b,2),or(eq(c,3),eq(d,4)))"),
        ("not((a=1))", "not(eq(a,1))"),
        ("not(in(a,(b)))", "not(in(a,(b)))"),
        ("range(n,1,9)", "and(ge(n,1),le(n,9))"),
        ("eq(a,null())", "eq(a,null())"),
        ("eq(a,null)", "eq(a,null)"),
        ("in(a,(empty(),null(),x))", "in(a,(empty(),null(),x))"),
        (r#"eq(a,"b,c)")"#, r#"eq(a,"b,c)")"#),
        (r#"eq(a,"b")"#, r#"eq(a,"b")"#),
        (r#"eq(a,'say "x"')"#, r#"eq(a,'say "x"')"#),
        ("asset__id=AS-1", "eq(asset__id,AS-1)"),
        ("ge(created,2024-01-02T03:04:05+00:00)", "ge(created,2024-01-02T03:04:05+00:00)"),
        ("and=or", "eq(and,or)"),
        ("in(in,(like))", "in(in,(like))"),
        ("eq(t,tag)", "eq(t,tag)"),
        ("not(t=a)", "not(eq(t,a))"),
        ("eq(a,t(b=c,like(d,*e*)))", "eq(a,t(eq(b,c),like(d,*e*)))"),
        ("in(a,(t(b=c),x))", "in(a,(t(eq(b,c)),x))"),
        ("t(a=b,c=d)&e=f", "and(eq(a,b),eq(c,d),eq(e,f))"),
    ] {
        assert_eq!(parsed(text), printed, "{text}");
        assert_eq!(parsed(printed), printed);
    }
}

/// Each of these is refused by the published grammar, or by the server side behind it.
#[test]
fn errors_say_where_and_what() {
    for (text, error) in [
        ("near(a,1)", "0: expected an operator such as eq, in, like, and, or, not, found 'n'"),
        ("1=a", "0: expected a field or an operator such as eq, in, like, and, or, not, found '1'"),
        (" a=b", "0: expected a field or an operator such as eq, in, like, and, or, not, found ' '"),
        ("eq(a,1", "6: expected \")\", found the end"),
        ("eq(a,\"1)", "5: expected a value with a closing quote, found '\"'"),
        (
            "in(a,())",
            "6: expected a value; one with other characters than letters, digits and -*+\\ stands in quotes, found ')'",
        ),
        ("in(a,x)", "5: expected \"(\", found 'x'"),
        (
            "eq(a,)",
            "5: expected a value; one with other characters than letters, digits and -*+\\ stands in quotes, found ')'",
        ),
        (
            "a=",
            "2: expected a value; one with other characters than letters, digits and -*+\\ stands in quotes, found the end",
        ),
        ("eq(a,x,y)", "6: expected \")\", found ','"),
        ("eq(ä,b)", "3: expected a field, found 'ä'"),
        ("eq(é,b)|", "3: expected a field, found 'é'"),
        ("eq(aé,b/c)", "7: expected \")\", found '/'"),
        ("eq(_a,b)", "3: expected a field, found '_'"),
        ("eq(a,t)", "5: expected a value; \"t\" is an operator unless it stands in quotes, found 't'"),
        ("t=a", "0: expected a field; \"t\" is an operator here, found 't'"),
        (
            "not(not(eq(a,b)))",
            "4: expected one comparison or list, which is all that not(…) takes, found 'n'",
        ),
        ("not(a=b&c=d)", "7: expected \")\", found '&'"),
        ("not((a=b&c=d))", "4: expected one comparison or list, which is all that not(…) takes, found '('"),
        ("not(t(a=b))", "4: expected one comparison or list, which is all that not(…) takes, found 't'"),
        (
            "and(a=b)",
            "7: expected \",\" and another member, since and(…) and or(…) take two or more, found ')'",
        ),
        ("and(x)", "5: expected \"(\" or \"=\", found ')'"),
        (
            "or(a=b|c=d,e=f)",
            "6: expected \",\" and another member, since and(…) and or(…) take two or more, found '|'",
        ),
        (
            "(a=b|c=d,e=f)",
            "8: expected \")\" or the same sign as before, since brackets hold one kind of group, found ','",
        ),
        ("()", "1: expected a field or an operator such as eq, in, like, and, or, not, found ')'"),
        ("a=b)", "3: expected \"&\", \",\", \"|\", \";\" or the end, found ')'"),
        ("a=b&", "4: expected a field or an operator such as eq, in, like, and, or, not, found the end"),
        ("a=b=c", "3: expected \"&\", \",\", \"|\", \";\" or the end, found '='"),
        ("t(in(a,(b)))", "2: expected a comparison, which is all that t(…) takes, found 'i'"),
        ("like(a,b**)", "7: expected a pattern without two stars in a row, found 'b'"),
        (
            "ordering(a)",
            "0: expected a filter; ordering(…) and select(…) stand beside it in a query, found 'o'",
        ),
    ] {
        let found = Rql::parse(text).unwrap_err().to_string();
        assert_eq!(found, format!("not RQL at position {error}"), "{text}");
    }
    for deep in ["not(", "(", "eq(a,t(", "and(a=b,", "t(eq(a,"] {
        assert!(Rql::parse(&deep.repeat(100_000)).is_err(), "{deep}");
    }
    assert!(Rql::parse(&"(".repeat(10_000)).unwrap_err().to_string().contains("less deep"));
}

#[test]
fn what_the_grammar_cannot_write_is_told_and_changes_no_structure() {
    for (filter, shown, error) in [
        (
            R::field("id,X)&ge(id").eq("1"),
            r#"eq("id,X)&ge(id",1)"#,
            r#""id,X)&ge(id" is no field: a letter of a-z or A-Z, then letters, digits, "_", "-" or ".""#,
        ),
        (Rql::any([]), "or()", "a group of filters has no members"),
        (R::field("a").eq("b") & Rql::any([]), "and(eq(a,b),or())", "a group of filters has no members"),
        (!Rql::any([]), "not(or())", "a group of filters has no members"),
        (!Rql::default(), "not()", "a negation has nothing to negate"),
        (
            R::field("a").eq("'),\""),
            "eq(a,'\u{2019}),\"')",
            "the value for \"a\" has both quote signs, which RQL can't write",
        ),
        (R::field("a").is_in::<&str>([]), "in(a,())", "the list for \"a\" is empty"),
        (!R::field("a").out(Vec::<String>::new()), "not(out(a,()))", "the list for \"a\" is empty"),
        (
            R::field("a").like("b**"),
            "like(a,b**)",
            "the pattern for \"a\" has two stars in a row; one is any run of characters, \"\\*\" a star",
        ),
        (Rql::lookup("a__in", "x"), "in(a,(\"x\"))", "the value for \"a\" is not a list of values"),
        (Rql::lookup("a", ["x", "y"]), "eq(a,\"x,y\")", "the value for \"a\" is not one value"),
        (Rql::lookup("a__null", 1), "eq(a,\"1\")", "the value for \"a\" is not true or false"),
        (Rql::lookup("a__in", Vec::<i32>::new()), "in(a,())", "the list for \"a\" is empty"),
    ] {
        assert_eq!(filter.check().unwrap_err().to_string(), error);
        assert_eq!(filter.to_string(), shown);
    }
}

#[test]
fn filters_are_joined() {
    let [a, b, c] = ["a", "b", "c"].map(|field| R::field(field).eq(1));
    for (filter, printed) in [
        (Rql::default() & a.clone(), "eq(a,1)"),
        (a.clone() | Rql::default(), "eq(a,1)"),
        (Rql::all([]), ""),
        (Rql::any([Rql::default()]), ""),
        (a.clone() & (b.clone() & c.clone()) & b.clone(), "and(eq(a,1),eq(b,1),eq(c,1))"),
        (!(a.clone() & (b.clone() | !c.clone())), "or(not(eq(a,1)),and(not(eq(b,1)),eq(c,1)))"),
        (!!(a.clone() & b.clone()), "and(eq(a,1),eq(b,1))"),
        (!!Rql::default(), ""),
        (!!Rql::any([]), "or()"),
        (Rql::any((0..40).map(|n| R::field("a").eq(n % 2))), "or(eq(a,0),eq(a,1))"),
        (Rql::raw("a=1&b=2"), "a=1&b=2"),
        (Rql::from("x=1|y=2") & a.clone(), "and((x=1|y=2),eq(a,1))"),
        (Rql::raw("eq(x,\"a,b\")") | a.clone(), "or(eq(x,\"a,b\"),eq(a,1))"),
        (!Rql::raw("near(a,1)"), "not(near(a,1))"),
        (!!Rql::raw("near(a,1)"), "near(a,1)"),
        (!Rql::raw("x=1&y=2"), "or(not(eq(x,1)),not(eq(y,1)))"),
        (!Rql::raw("not(x=1)"), "eq(x,1)"),
        (Rql::from(String::new()) & a.clone(), "eq(a,1)"),
        (Rql::And(vec![Rql::Empty, Rql::Or(vec![a.clone()])]), "eq(a,1)"),
        (Rql::Not(Box::new(Rql::And(vec![a, b]))), "or(not(eq(a,1)),not(eq(b,1)))"),
    ] {
        assert_eq!(filter.to_string(), printed.replace("eq(y,1)", "eq(y,2)"));
    }
}

#[test]
fn values_are_quoted_where_they_have_to_be() {
    let printed = |value: &dyn Fn() -> Operand| value().to_string();
    for (text, bare) in [
        ("PRD-000-000", true),
        ("a b", true),
        ("2024-01-02T03:04:05+00:00", true),
        ("ñ b", true),
        ("-*+\\", true),
        ("a@b.c", true),
        ("null", true),
        ("", false),
        ("t", false),
        ("b ", false),
        (" b", false),
        (".b", false),
        ("null()", false),
        ("empty()", false),
        ("x,y", false),
        ("a/b", false),
        ("a(b)c", false),
        ("a&b=c#d%e", false),
        ("it's", false),
        ("a\nb", false),
        ("日本", false),
    ] {
        let expected = if bare { text.to_owned() } else { format!("\"{text}\"") };
        assert_eq!(printed(&|| text.into()), expected);
    }
    assert_eq!(printed(&|| "5\" disk".into()), "'5\" disk'");
    assert_eq!(printed(&|| "'a,b'".into()), "'a,b'");
    assert_eq!(printed(&|| "\"".into()), "'\"'");
    assert_eq!(printed(&|| Operand::text("\"a\"")), "'\"a\"'");
    assert_eq!(Operand::from("\"a b\""), Operand::from("a b"));
    assert_eq!(R::field("a").eq("\"b\"") & R::field("a").eq("b"), R::field("a").eq("'b'"));
    for (operand, text) in [
        (Operand::from(1.0), "1.0"),
        (1e20.into(), "1e+20"),
        (1e-7.into(), "1e-07"),
        (0.1_f32.into(), "0.1"),
        ('x'.into(), "x"),
        (u64::MAX.into(), "18446744073709551615"),
        (jiff::civil::date(2024, 1, 2).into(), "2024-01-02"),
        (jiff::civil::date(2024, 1, 2).at(3, 4, 5, 678_900_999).into(), "2024-01-02T03:04:05.678900"),
        (jiff::Timestamp::UNIX_EPOCH.into(), "1970-01-01T00:00:00+00:00"),
        (
            "2024-01-02T03:04:05-05:30[-05:30]".parse::<jiff::ZonedDateTime>().unwrap().into(),
            "2024-01-02T03:04:05-05:30",
        ),
    ] {
        assert_eq!(operand.to_string(), text);
    }
}

#[test]
fn patterns_are_escaped() {
    let field = || R::field("a");
    for (filter, printed) in [
        (field().contains("b"), "like(a,*b*)"),
        (field().starts_with(r"5*\x"), r"like(a,5\*\\x*)"),
        (field().ends_with("a, b"), "like(a,\"*a, b\")"),
        (field().icontains(""), "ilike(a,*)"),
        (field().istarts_with("*"), r"ilike(a,\**)"),
        (field().iends_with("*"), r"ilike(a,*\*)"),
    ] {
        assert_eq!((filter.to_string().as_str(), filter.check()), (printed, Ok(())));
    }
    assert!(is_pattern_text(r"*\**") && is_pattern_text(r"a*\\*") && !is_pattern_text(r"\\**"));
}

#[test]
fn a_query_is_read() {
    let query = Query::parse(
        "?eq(id,PR-1)&status=pending&select(-asset.params,+b)&order_by=-created&search=a%20b&offset=5",
    )
    .unwrap();
    assert_eq!(query.filter.to_string(), "and(eq(id,PR-1),eq(status,pending))");
    assert_eq!(
        (query.select, query.ordering),
        (vec!["-asset.params".into(), "b".into()], vec!["-created".into()])
    );
    assert_eq!((query.search.as_deref(), query.offset, query.limit), (Some("a b"), Some(5), None));
    for nothing in [
        "",
        "?",
        "&",
        "&&",
        "ordering()",
        "select()&ordering()",
        "search=",
        "limit=x&offset=-1",
        "limit=\"5\"",
    ] {
        assert_eq!(Query::parse(nothing).unwrap(), Query::default(), "{nothing}");
    }
    for (text, filter, limit, offset) in [
        ("limit=10,offset=20&a=b", "eq(a,b)", Some(10), Some(20)),
        ("a=b&limit(10,20)&&", "eq(a,b)", Some(10), Some(20)),
        ("limit(10)&eq(offset,+3)", "", Some(10), Some(3)),
        ("and(limit=0,a=b,c=d)", "and(eq(a,b),eq(c,d))", Some(0), None),
        ("limit=99999999999999999999999", "", Some(usize::MAX), None),
        ("&a=b%26c=d&&%65q(e,f)", "and(eq(a,b),eq(c,d),eq(e,f))", None, None),
        ("a=b|c=d&e=f", "and(or(eq(a,b),eq(c,d)),eq(e,f))", None, None),
        ("eq(a,%22b&c%22)", "eq(a,\"b&c\")", None, None),
    ] {
        let query = Query::parse(text).unwrap();
        assert_eq!(
            (query.filter.to_string().as_str(), query.limit, query.offset),
            (filter, limit, offset),
            "{text}"
        );
    }
    for (text, ordering) in
        [("ordering(a,-b,+c)", "a,-b,c"), ("order_by=-a,b,c=d", "-a,b"), ("and(ordering(x),a=b,c=d)", "x")]
    {
        assert_eq!(Query::parse(text).unwrap().ordering.join(","), ordering);
    }
    for (text, term) in [
        ("search=it's&limit=1", "it's"),
        ("search=a%26b&limit=1", "a&b"),
        ("search=a%26limit=5&limit=1", "a&limit=5"),
        ("search=%22it's%22&limit=1", "it's"),
        ("search=%22a%26b%22&limit=1", "a&b"),
        ("search=\"a&b\"&limit=1", "a&b"),
        ("search=a,b&limit=1", "a,b"),
        ("search=a,limit=1", "a"),
        ("search=t&limit=1", "t"),
        ("search=red+car&limit=1", "red+car"),
        ("search=100%&limit=1", "100%"),
        ("search=é/(x)&limit=1", "é/(x)"),
        ("eq(search,x)&limit=1", "x"),
    ] {
        let query = Query::parse(text).unwrap();
        assert_eq!((query.search.as_deref(), query.limit), (Some(term), Some(1)), "{text}");
    }
    for (text, error) in [
        (
            "limit=1&limit=2",
            "8: expected a filter, since limit, offset, search, ordering and select stand once",
        ),
        ("ordering()&ordering(a)", "11: expected a filter, since"),
        ("limit=ne=5", "0: expected limit, offset and search with \"=\" only"),
        ("limit(x)", "6: expected a number"),
        ("limit=", "6: expected a value"),
        ("or(search=a,b=c)", "3: expected a filter; a search stands beside it"),
        ("a=b,", "4: expected a field or an operator"),
        ("ordering(a,)", "11: expected a field, with \"-\", \"+\" or nothing before it"),
        ("a=b%2Fc", "3: expected \"&\""),
    ] {
        let found = Query::parse(text).unwrap_err().to_string();
        assert!(found.starts_with(&format!("not RQL at position {error}")), "{text}: {found}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~é]{0,12}"
            .prop_filter("one quote sign at most", |text| !(text.contains('"') && text.contains('\''))),
        "\\PC{0,6}"
            .prop_filter("one quote sign at most", |text| !(text.contains('"') && text.contains('\''))),
        Just("t".to_owned()),
        Just("null()".to_owned()),
        Just("100%&a=b#c".to_owned()),
        Just("\"*x y*\"".to_owned()),
    ]
}

fn filters() -> impl Strategy<Value = Rql> {
    let field = "[a-z][a-z_]{0,5}(\\.[a-z]{1,4})?";
    let operand = prop_oneof![
        texts().prop_map(Operand::from),
        texts().prop_map(Operand::text),
        any::<f64>().prop_map(Operand::from),
        Just(Operand::null()),
        Just(Operand::empty())
    ];
    let leaf = prop_oneof![
        (prop::sample::select(&Comparison::ALL[..]), field, operand.clone())
            .prop_filter("a pattern", |(comparison, _, value)| value.check_for(*comparison, "").is_ok())
            .prop_map(|(comparison, field, value)| Rql::Compare(comparison, field, value)),
        (any::<bool>(), field, prop::collection::vec(operand, 1..4))
            .prop_map(|(out, field, values)| Rql::List { out, field, values }),
        Just(Rql::Empty),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Rql::all),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Rql::any),
            inner.prop_map(|filter| if filter.is_empty() { filter } else { !filter }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same_tree(filter in filters()) {
        prop_assert_eq!(filter.check(), Ok(()));
        let text = filter.to_string();
        prop_assert_eq!(Rql::parse(&text), Ok(filter.clone()));
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        prop_assert_eq!(Query::parse(&encoded.to_string()).map(|query| query.filter), Ok(filter));
    }

    #[test]
    fn no_value_changes_the_structure(field in "\\PC{0,8}", text in "[a-z(),&|;='\"%. ]{0,20}") {
        let filter = R::field(field.as_str()).eq(text.as_str()) & R::field("b").eq(1);
        match (filter.check(), Rql::parse(&filter.to_string())) {
            (Ok(()), read) => prop_assert_eq!(read, Ok(filter)),
            (Err(RqlError::Field(_)), read) => prop_assert!(read.is_err()),
            (Err(_), Ok(Rql::And(members))) => prop_assert_eq!(members.len(), 2),
            (Err(error), read) => prop_assert!(false, "{error}: {read:?}"),
        }
    }

    #[test]
    fn negation_is_the_opposite(filter in filters(), n in 0..3, text in texts()) {
        prop_assume!(!filter.is_empty());
        let object = serde_json::json!({"a": n, "b": text});
        prop_assert_ne!(filter.matches(&object), (!filter.clone()).matches(&object));
    }

    #[test]
    fn no_text_makes_a_panic(text in "([-a-z(),&|;='\"%. 0-9é?]|eq\\(|search=|limit=|order_by=|t\\(|\\PC){0,40}") {
        let _ = (Rql::parse(&text), Query::parse(&text), (!Rql::raw(text.as_str())).to_string());
        let operand = Operand::from(text.as_str());
        let _ = (operand.to_string(), operand.check("a"));
    }
}
