/// What is wrong with an RQL text or filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RqlError {
    /// The text is not RQL.
    #[error("not RQL at position {position}: expected {expected}, found {}", .found.map_or_else(|| "the end".to_owned(), |sign| format!("{sign:?}")))]
    Syntax {
        /// Where, in characters from the start, the first being 0.
        position: usize,
        /// What could have stood there.
        expected: &'static str,
        /// What stands there; `None` is the end of the text.
        found: Option<char>,
    },
    /// A list without values: no object is in it.
    #[error("the list for \"{0}\" is empty")]
    EmptyList(String),
    /// A name that is no field: it could change the structure of the filter.
    #[error("\"{0}\" is no field: a letter of a-z or A-Z, then letters, digits, \"_\", \"-\" or \".\"")]
    Field(String),
    /// Any of nothing, or all of nothing.
    #[error("a group of filters has no members")]
    EmptyGroup,
    /// No condition, negated: no object matches.
    #[error("a negation has nothing to negate")]
    EmptyNegation,
    /// A value that the grammar has no way to write.
    #[error("the value for \"{0}\" has both quote signs, which RQL can't write")]
    BothQuotes(String),
    /// A pattern that the published server refuses.
    #[error("the pattern for \"{0}\" has two stars in a row; one is any run of characters, \"\\*\" a star")]
    Pattern(String),
    /// A value that does not fit its operator.
    #[error("the value for \"{field}\" is not {expected}")]
    Value {
        /// The field.
        field: String,
        /// What it should have been.
        expected: &'static str,
    },
}
