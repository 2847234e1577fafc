//! What is bound, found, hidden, missing and cyclic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use connect_container::{Bindings, Config, Container, Error, ErrorKind, Inject, Resolver, ServiceProvider};
use proptest::prelude::*;

fn container(bind: impl FnOnce(&mut Bindings)) -> Container {
    Container::builder().bind(bind).build().unwrap()
}

/// A factory's error type, where nothing else says which.
type Made<T> = Result<T, Error>;

#[derive(Clone, Debug, PartialEq)]
struct Number(usize);

#[test]
fn shared_is_built_once_and_transient_each_time() {
    let built = Arc::new(AtomicUsize::new(0));
    let container = container(|bind| {
        let (shared, transient) = (Arc::clone(&built), Arc::clone(&built));
        bind.shared(move |_| Made::Ok(Number(shared.fetch_add(1, Ordering::Relaxed))));
        bind.transient_named("each", move |_| Made::Ok(transient.fetch_add(1, Ordering::Relaxed)));
    });
    assert_eq!(built.load(Ordering::Relaxed), 0, "nothing is built before it is asked for");
    assert_eq!(container.get::<Number>().unwrap(), container.get::<Number>().unwrap());
    assert_ne!(container.get_named::<usize>("each").unwrap(), container.get_named::<usize>("each").unwrap());
}

#[test]
fn a_scope_hides_what_its_container_has_and_no_other_sees_it() {
    let container = container(|bind| {
        bind.instance(Number(1));
        bind.transient_named("sees", |r| Made::Ok(r.get::<Number>()?.0));
    });
    let scope = container.scope().instance(Number(2)).build().unwrap();
    assert_eq!(scope.get::<Number>().unwrap(), Number(2));
    assert_eq!(scope.get_named::<usize>("sees").unwrap(), 2, "a transient sees what the one who asks sees");
    assert_eq!(container.get::<Number>().unwrap(), Number(1));
    assert_eq!(container.scope().build().unwrap().get::<Number>().unwrap(), Number(1));
}

#[test]
fn a_shared_service_of_the_root_never_sees_a_scope() {
    let container = container(|bind| {
        bind.shared_named("root", |r| Made::Ok(r.get::<Number>()?.0));
    });
    let scope = container.scope().instance(Number(2)).build().unwrap();
    let error = scope.get_named::<usize>("root").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "no binding for Number (required by \"root\": usize)");
}

#[test]
fn shared_in_a_scope_is_once_per_scope() {
    let built = Arc::new(AtomicUsize::new(0));
    let container = container(|_| {});
    let scope = || {
        let built = Arc::clone(&built);
        let bind = move |bind: &mut Bindings| {
            bind.shared(move |_| Made::Ok(Number(built.fetch_add(1, Ordering::Relaxed))));
        };
        container.scope().bind(bind).build().unwrap()
    };
    let (first, second) = (scope(), scope());
    assert_eq!([first.get::<Number>(), first.get(), second.get()].map(|number| number.unwrap().0), [0, 0, 1]);
}

struct Provides(usize);

impl ServiceProvider for Provides {
    fn register(&self, bind: &mut Bindings) {
        bind.instance(Number(self.0));
    }
}

struct Replaces;

impl ServiceProvider for Replaces {
    fn register(&self, bind: &mut Bindings) {
        bind.replace().instance(Number(9));
    }
}

struct Nested;

impl ServiceProvider for Nested {
    fn register(&self, bind: &mut Bindings) {
        bind.provider(Provides(3));
    }
}

#[test]
fn binding_twice_is_an_error_and_replacing_is_not() {
    let error = Container::builder().provider(Provides(1)).provider(Nested).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Duplicate);
    assert_eq!(error.to_string(), "Number is bound twice by Provides: use `replace` to bind it anew");
    let error = Container::builder()
        .provider(Provides(1))
        .bind(|bind| {
            bind.instance(Number(2));
        })
        .build();
    assert_eq!(
        error.unwrap_err().to_string(),
        "Number is bound by Provides and by the builder: use `replace` to bind it anew"
    );
    for builder in [
        Container::builder().provider(Replaces).provider(Provides(1)),
        Container::builder().provider(Provides(1)).provider(Replaces),
    ] {
        assert_eq!(builder.build().unwrap().get::<Number>().unwrap(), Number(9), "in whatever order");
    }
    let error = Container::builder().provider(Replaces).build().unwrap_err();
    assert_eq!(error.to_string(), "Replaces replaces Number, which nobody binds");
}

struct ReplacesWhatIsThere;

impl ServiceProvider for ReplacesWhatIsThere {
    fn register(&self, bind: &mut Bindings) {
        for number in 0..8 {
            bind.replace().named(format!("there {number}"), 2_u8);
        }
    }
}

#[test]
fn only_what_nobody_binds_is_named_as_such() {
    let builder = Container::builder().provider(ReplacesWhatIsThere).provider(Replaces);
    let bind = |bind: &mut Bindings| {
        for number in 0..8 {
            bind.named(format!("there {number}"), 1_u8);
        }
    };
    let error = builder.bind(bind).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "Replaces replaces Number, which nobody binds");
}

#[test]
fn each_that_replaces_nothing_is_named_once_in_order() {
    let bind = |bind: &mut Bindings| {
        bind.replace().named("b", 1_u8).replace().named("a", 1_u8).replace().named("c", 1_u8);
    };
    let error = Container::builder().bind(bind).build().unwrap_err();
    let texts: Vec<String> = error.problems().map(ToString::to_string).collect();
    let text = |name: &str| format!("the builder replaces \"{name}\": u8, which nobody binds");
    assert_eq!(texts, ["b", "a", "c"].map(text));
}

#[test]
fn what_is_replaced_twice_names_both_and_a_fallback_can_be_replaced() {
    let bind = |bind: &mut Bindings| {
        bind.replace().instance(Number(8));
    };
    let builder = Container::builder().provider(Provides(1)).provider(Replaces);
    assert_eq!(
        builder.bind(bind).build().unwrap_err().to_string(),
        "Number is bound by Replaces and by the builder: use `replace` to bind it anew"
    );
    let container = Container::builder().fallback(Provides(1)).provider(Replaces).build().unwrap();
    assert_eq!(container.get::<Number>().unwrap(), Number(9));
}

#[test]
fn slots_are_replaced_whole_and_fallbacks_give_way() {
    let number = |container: Result<Container, Error>| container.unwrap().get::<Number>().unwrap().0;
    assert_eq!(number(Container::builder().slot("n", Provides(1)).replace_slot("n", Provides(2)).build()), 2);
    assert_eq!(number(Container::builder().replace_slot("n", Provides(2)).build()), 2);
    assert_eq!(number(Container::builder().fallback(Provides(1)).build()), 1);
    assert_eq!(number(Container::builder().fallback(Provides(1)).provider(Provides(2)).build()), 2);
    let error = Container::builder().slot("n", Provides(1)).slot("n", Provides(2)).build().unwrap_err();
    assert_eq!(error.to_string(), "the slot \"n\" is filled twice: use `replace_slot` to fill it anew");
}

#[test]
fn variables_are_services_below_all_bindings() {
    let config: Config = [("CACHE_DRIVER", " sqlite "), ("API_URL", "operator's")].into_iter().collect();
    let bind = |bind: &mut Bindings| {
        bind.named("api_url", "bound".to_owned());
    };
    let container = Container::builder().config(config).bind(bind).build().unwrap();
    assert_eq!(container.get_named::<String>("cache_driver").unwrap(), "sqlite");
    assert_eq!(
        container.get_named::<String>("api_url").unwrap(),
        "bound",
        "an operator can't break what is bound"
    );
    assert_eq!(container.get::<Config>().unwrap().get("CACHE_DRIVER"), Some("sqlite"));
    let error = container.get_named::<u32>("cache_driver").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert_eq!(error.to_string(), "no binding for \"cache_driver\": u32, the name is bound to String");
    assert!(container.find_named::<u32>("cache_driver").is_err(), "a wrong type is no absence");
    assert_eq!(container.find_named::<String>("nothing").unwrap(), None);
}

#[derive(Clone, Inject)]
struct VendorApi {
    #[inject(name = "api_url")]
    _url: String,
}

#[derive(Inject)]
struct CreateUser {
    _api: VendorApi,
}

#[test]
fn errors_tell_the_whole_chain_and_what_was_meant() {
    let container = container(|bind| {
        bind.shared(VendorApi::inject).named("api_uri", String::new());
    });
    let text =
        "no binding for \"api_url\": String (required by CreateUser → VendorApi); did you mean \"api_uri\"?";
    let error = container.inject::<CreateUser>().err().unwrap();
    assert_eq!(error.to_string(), text);
    assert_eq!(error.required_by(), ["CreateUser", "VendorApi"]);
    assert_eq!(container.verify_inject::<CreateUser>().unwrap_err().to_string(), text);
}

#[test]
fn a_name_bound_to_several_types_gives_one_text() {
    for _ in 0..32 {
        let container = container(|bind| {
            bind.named("n", 1_u8).named("n", 1_u16).named("n", 1_i8).named("n", true);
        });
        let error = container.get_named::<String>("n").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongType);
        assert_eq!(error.to_string(), "no binding for \"n\": String, the name is bound to bool");
    }
}

#[test]
fn what_a_factory_misses_stays_missing_through_any_error_type() {
    let container = container(|bind| {
        bind.shared(|r| {
            let name = r.get_named::<String>("name")?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Number(name.parse()?))
        });
    });
    let error = container.get::<Number>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "no binding for \"name\": String (required by Number)");
    let scope = container.scope().named("name", "12".to_owned()).build().unwrap();
    assert!(scope.get::<Number>().is_err(), "what the root shares sees no scope");
}

#[test]
fn a_factorys_error_tells_who_asked() {
    let container = container(|bind| {
        bind.shared(VendorApi::inject);
        bind.shared_named("api_url", |_| Err::<String, _>(std::io::Error::other("the disk is gone")));
    });
    assert_eq!(
        container.inject::<CreateUser>().err().unwrap().to_string(),
        "cannot build \"api_url\": String: the disk is gone (required by CreateUser → VendorApi)"
    );
}

#[test]
fn a_factorys_error_is_kept_and_a_later_try_may_succeed() {
    let tries = Arc::new(AtomicUsize::new(0));
    let container = container(|bind| {
        let tries = Arc::clone(&tries);
        bind.shared(move |_| match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(std::io::Error::other("the disk is gone")),
            number => Ok(Number(number)),
        });
    });
    let error = container.get::<Number>().unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Factory, "cannot build Number: the disk is gone")
    );
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.is::<std::io::Error>());
    assert_eq!(container.get::<Number>().unwrap(), Number(1));
}

fn cycle(bind: &mut Bindings) {
    bind.shared_named("a", |r: &Resolver<'_>| r.get_named::<u8>("b"));
    bind.shared_named("b", |r: &Resolver<'_>| r.get_named::<u8>("c"));
    bind.shared_named("c", |r: &Resolver<'_>| r.get_named::<u8>("a"));
    bind.transient(|r: &Resolver<'_>| r.get::<Number>());
}

#[test]
fn a_cycle_is_an_error_from_one_thread_and_from_many() {
    let container = container(cycle);
    let error = container.get_named::<u8>("a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cycle);
    assert_eq!(error.to_string(), "cyclic dependency: \"a\": u8 → \"b\": u8 → \"c\": u8 → \"a\": u8");
    assert_eq!(container.get::<Number>().unwrap_err().to_string(), "cyclic dependency: Number → Number");
    let barrier = Barrier::new(8);
    std::thread::scope(|threads| {
        let asked: Vec<_> = ["a", "b", "c", "a", "b", "c", "a", "b"]
            .into_iter()
            .map(|name| {
                let (container, barrier) = (&container, &barrier);
                threads.spawn(move || {
                    barrier.wait();
                    (name, container.get_named::<u8>(name).unwrap_err().to_string())
                })
            })
            .collect();
        for thread in asked {
            let (name, text) = thread.join().unwrap();
            let way = match name {
                "a" => ["a", "b", "c", "a"],
                "b" => ["b", "c", "a", "b"],
                _ => ["c", "a", "b", "c"],
            };
            let way = way.map(|name| format!("\"{name}\": u8")).join(" → ");
            assert_eq!(text, format!("cyclic dependency: {way}"));
        }
    });
}

#[test]
fn under_a_race_all_get_the_same_value() {
    let built = Arc::new(AtomicUsize::new(0));
    let container = container(|bind| {
        let (built, barrier) = (Arc::clone(&built), Barrier::new(8));
        bind.shared(move |_| {
            // Nobody is done before all have begun.
            barrier.wait();
            Made::Ok(Arc::new(Number(built.fetch_add(1, Ordering::Relaxed))))
        });
    });
    let values: Vec<Arc<Number>> = std::thread::scope(|threads| {
        let asked: Vec<_> =
            (0..8).map(|_| threads.spawn(|| container.get::<Arc<Number>>().unwrap())).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(built.load(Ordering::Relaxed), 8);
    assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])));
    assert!(Arc::ptr_eq(&container.get().unwrap(), &values[0]), "and so does who comes later");
}

#[test]
fn a_panic_in_a_factory_leaves_the_container_usable() {
    let tries = Arc::new(AtomicUsize::new(0));
    let container = container(|bind| {
        let tries = Arc::clone(&tries);
        bind.shared(move |_| {
            assert_ne!(tries.fetch_add(1, Ordering::Relaxed), 0, "the first try panics");
            Made::Ok(Number(7))
        });
    });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| container.get::<Number>()));
    assert!(panicked.is_err());
    assert_eq!(container.get::<Number>().unwrap(), Number(7));
}

#[test]
fn verify_finds_all_that_is_wrong_and_forgives_what_may_pass() {
    let container = container(|bind| {
        cycle(bind);
        bind.shared_named("needs", |r: &Resolver<'_>| r.get_named::<String>("nowhere"));
        bind.shared_named("down", |_| Err::<u64, _>(std::io::Error::other("the database is down")));
        bind.transient_named("task's", |r: &Resolver<'_>| r.get_named::<String>("of a task"));
    });
    let error = container.verify().unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Several);
    assert!(text.contains("no binding for \"nowhere\": String (required by \"needs\": String)"), "{text}");
    assert_eq!(error.problems().filter(|problem| problem.kind() == ErrorKind::Cycle).count(), 4, "{text}");
    assert!(!text.contains("down") && !text.contains("of a task"), "{text}");
}

#[test]
fn verify_warns_of_what_a_factory_failed_at() {
    let container = container(|bind| {
        bind.shared_named("down", |_| Err::<u64, _>(std::io::Error::other("the database is down")));
    });
    let warnings = container.verify().unwrap();
    assert_eq!(warnings[0].to_string(), "cannot build \"down\": u64: the database is down");
}

#[test]
fn warnings_have_an_order() {
    for _ in 0..8 {
        let container = container(|bind| {
            for name in ["d", "b", "a", "e", "c"] {
                bind.shared_named(name, |_| Err::<u64, _>("down"));
            }
        });
        let texts: Vec<String> = container.verify().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["a", "b", "c", "d", "e"].map(|name| format!("cannot build \"{name}\": u64: down"))
        );
    }
}

#[test]
fn verify_forgives_a_transient_what_a_task_may_have_but_no_cycle() {
    let missing = container(|bind| {
        bind.transient(|r| Made::Ok(Number(r.get::<usize>()?)));
    });
    let warnings = missing.verify().unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].to_string(), "no binding for usize (required by Number)");
    let scope = missing.scope().instance(3_usize).build().unwrap();
    assert_eq!(scope.get::<Number>().unwrap(), Number(3));
    let cyclic = container(|bind| {
        bind.transient(|r: &Resolver<'_>| r.get::<Number>());
    });
    assert_eq!(cyclic.verify().unwrap_err().to_string(), "cyclic dependency: Number → Number");
}

#[derive(Debug, Inject)]
struct Optional {
    #[inject(name = "there")]
    _there: Option<u8>,
}

#[test]
fn verify_inject_finds_what_inject_finds() {
    let wrong = container(|bind| {
        bind.named("there", 1_u16);
    });
    let text = "no binding for \"there\": u8, the name is bound to u16 (required by Optional)";
    assert_eq!(wrong.inject::<Optional>().unwrap_err().to_string(), text);
    assert_eq!(wrong.verify_inject::<Optional>().unwrap_err().to_string(), text);
    let broken = container(|bind| {
        bind.shared_named("there", |r: &Resolver<'_>| r.get_named::<u8>("nowhere"));
    });
    let text = "no binding for \"nowhere\": u8 (required by Optional → \"there\": u8)";
    assert_eq!(broken.inject::<Optional>().unwrap_err().to_string(), text);
    assert_eq!(broken.verify_inject::<Optional>().unwrap_err().to_string(), text);
    assert!(container(|_| {}).verify_inject::<Optional>().is_ok());
}

#[test]
fn verify_inject_sees_what_a_scope_has() {
    let container = container(|bind| {
        bind.transient(VendorApi::inject);
    });
    let with = container.scope().named("api_url", String::new()).build().unwrap();
    assert!(with.verify_inject::<VendorApi>().is_ok());
    assert!(with.verify_inject::<CreateUser>().is_ok());
    assert_eq!(
        container.scope().build().unwrap().verify_inject::<VendorApi>().unwrap_err().to_string(),
        "no binding for \"api_url\": String (required by VendorApi)"
    );
}

#[test]
fn nothing_shows_a_value() {
    let config: Config = [("SECRET", "canary")].into_iter().collect();
    let bind = |bind: &mut Bindings| {
        bind.named("password", "canary".to_owned());
        assert!(!format!("{bind:?}").contains("canary"));
    };
    let container = Container::builder().config(config).bind(bind).build().unwrap();
    let scope = container.scope().named("token", "canary".to_owned()).build().unwrap();
    let builders = (
        Container::builder().bind(|bind| {
            bind.named("key", "canary".to_owned());
        }),
        container.scope().instance("canary".to_owned()),
    );
    let shown = format!("{container:?} {scope:?} {builders:?}");
    assert!(shown.contains("password") && shown.contains("SECRET") && shown.contains("token"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn annotations_are_shared_by_clones_of_a_scope() {
    let scope = container(|_| {}).scope().build().unwrap();
    scope.clone().annotate("transaction", "first");
    scope.annotate("transaction", "second");
    assert_eq!(scope.annotation("transaction").as_deref(), Some("second"));
    assert_eq!(scope.annotation("nothing"), None);
}

/// A graph in which each node needs some of the nodes before it.
fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..12).prop_map(
        |nodes| {
            let edges = |(node, needs): (usize, Vec<prop::sample::Index>)| {
                if node == 0 {
                    Vec::new()
                } else {
                    needs.into_iter().map(|index| index.index(node)).collect()
                }
            };
            nodes.into_iter().enumerate().map(edges).collect()
        },
    )
}

fn graph(nodes: &[Vec<usize>]) -> Container {
    container(|bind| {
        for (node, needs) in nodes.iter().enumerate() {
            let needs = needs.clone();
            bind.shared_named(format!("node {node}"), move |r| {
                let sizes: Result<Vec<u64>, Error> =
                    needs.iter().map(|need| r.get_named::<u64>(&format!("node {need}"))).collect();
                Made::Ok(1 + sizes?.into_iter().sum::<u64>())
            });
        }
    })
}

proptest! {
    #[test]
    fn any_graph_without_a_cycle_is_resolved(nodes in graphs()) {
        let container = graph(&nodes);
        prop_assert!(container.verify().unwrap().is_empty());
        let mut sizes: Vec<u64> = Vec::new();
        for (node, needs) in nodes.iter().enumerate() {
            sizes.push(1 + needs.iter().map(|need| sizes[*need]).sum::<u64>());
            prop_assert_eq!(container.get_named::<u64>(&format!("node {node}")).unwrap(), sizes[node]);
        }
    }

    #[test]
    fn any_cycle_is_found(nodes in graphs()) {
        let mut nodes = nodes;
        let last = nodes.len() - 1;
        // A way from the first node to the last, and one back.
        for (node, needs) in nodes.iter_mut().enumerate() {
            needs.push(if node == 0 { last } else { node - 1 });
        }
        let container = graph(&nodes);
        for node in 0..nodes.len() {
            let error = container.get_named::<u64>(&format!("node {node}")).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::Cycle);
        }
    }
}
