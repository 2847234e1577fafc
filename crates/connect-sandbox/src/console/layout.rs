//! What is around every page.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

/// Where in the menu a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Requests,
    Purchase,
    Assets,
    Products,
    Tiers,
    Accounts,
    Listings,
    Usage,
    Cases,
    Tasks,
    Calls,
    Schedules,
    Variables,
    Runners,
    Extension,
    Service,
    Clock,
    Chaos,
    None,
}

/// Where, path, title, and the second key of its shortcut (the first is `g`).
type Entry = (Here, &'static str, &'static str, &'static str);

/// The menu, in groups.
const MENU: &[(&str, &[Entry])] = &[
    (
        "Business",
        &[
            (Here::Requests, "/", "Requests", "r"),
            (Here::Assets, "/assets", "Assets", "a"),
            (Here::Products, "/products", "Products", "p"),
            (Here::Tiers, "/tier-configs", "Tier configs", "i"),
            (Here::Accounts, "/tier-accounts", "Tier accounts", "o"),
        ],
    ),
    (
        "More",
        &[
            (Here::Listings, "/listings", "Listings", "m"),
            (Here::Usage, "/usage", "Usage", "f"),
            (Here::Cases, "/cases", "Cases", "h"),
        ],
    ),
    ("Activity", &[(Here::Tasks, "/tasks", "Tasks", "t"), (Here::Calls, "/calls", "Calls", "c")]),
    (
        "Extension",
        &[
            (Here::Extension, "/extension", "What it handles", "e"),
            (Here::Service, "/service", "Service", "b"),
            (Here::Runners, "/runners", "Runners", "u"),
            (Here::Variables, "/variables", "Variables", "v"),
            (Here::Schedules, "/schedules", "Schedules", "s"),
        ],
    ),
    ("Sandbox", &[(Here::Clock, "/clock", "Clock", "l"), (Here::Chaos, "/chaos", "Chaos", "x")]),
];

/// What keys do, besides those of the menu.
const KEYS: &[(&str, &str)] = &[
    ("?", "This help"),
    ("/", "Search in the list"),
    ("n", "New purchase"),
    ("j  k", "Next and previous row or attempt"),
    ("Enter", "Open what has the focus"),
    ("Esc", "Close, or leave the field"),
];

pub(super) fn page(title: &str, here: Here, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Sandbox" }
                link rel="stylesheet" href="/console.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                script src="/console.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" {
                        span.mark aria-hidden="true" {}
                        "Connect " span.quiet { "sandbox" }
                    }
                    nav aria-label="Main" {
                        @for (group, entries) in MENU {
                            div.group {
                                p aria-hidden="true" { (group) }
                                ul aria-label=(group) {
                                    @for (own, path, title, key) in *entries {
                                        li {
                                            a href=(path) aria-current=[(*own == here).then_some("page")] data-key=(key) {
                                                (title)
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    div.tools {
                        span #offline.offline role="status" hidden { "Not live: the sandbox does not answer" }
                        button.plain type="button" data-opens="help" aria-keyshortcuts="?" { "Keys " kbd { "?" } }
                        a.button.primary href="/purchase" aria-keyshortcuts="n" { "New purchase" }
                    }
                }
                main #main tabindex="-1" { (content) }
                (help())
            }
        }
    };
    Html(page.into_string())
}

fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl.keys {
                @for (keys, what) in KEYS {
                    div {
                        dt { @for key in keys.split("  ") { kbd { (key) } " " } }
                        dd { (what) }
                    }
                }
                @for (_, _, title, key) in MENU.iter().flat_map(|(_, entries)| *entries) {
                    div { dt { kbd { "g" } " " kbd { (key) } } dd { (title) } }
                }
            }
            form method="dialog" { button autofocus { "Close" } }
        }
    }
}
