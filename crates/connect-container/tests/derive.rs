//! Structs of all shapes, their fields filled with services.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use connect_container::{Container, ErrorKind, Inject};

trait Clock: Send + Sync {
    fn now(&self) -> u64;
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> u64 {
        7
    }
}

#[derive(Inject)]
struct Named {
    clock: Arc<dyn Clock>,
    #[inject(name = "api_url")]
    url: String,
    absent: Option<u16>,
    #[inject(name = "there")]
    present: Option<u8>,
    #[inject(default)]
    calls: Vec<u64>,
}

#[derive(Inject)]
struct Tuple(Arc<dyn Clock>, #[inject(name = "there")] u8);

#[derive(Inject)]
struct Unit;

#[derive(Inject)]
struct Generic<T, U> {
    value: T,
    other: Option<U>,
    #[inject(default)]
    list: Vec<T>,
}

fn container() -> Container {
    let bind = |bind: &mut connect_container::Bindings| {
        bind.instance::<Arc<dyn Clock>>(Arc::new(Fixed))
            .named("api_url", "https://x".to_owned())
            .named("there", 3_u8);
    };
    Container::builder().bind(bind).build().unwrap()
}

#[test]
fn fields_are_services_by_type_by_name_optional_or_default() {
    let named: Named = container().inject().unwrap();
    assert_eq!(
        (named.clock.now(), named.url.as_str(), named.absent, named.present),
        (7, "https://x", None, Some(3))
    );
    assert!(named.calls.is_empty());
    let tuple: Tuple = container().inject().unwrap();
    assert_eq!((tuple.0.now(), tuple.1), (7, 3));
    let _: Unit = container().inject().unwrap();
}

#[test]
fn generic_structs_are_injected_for_each_type() {
    let generic: Generic<Arc<dyn Clock>, u16> = container().inject().unwrap();
    assert_eq!((generic.value.now(), generic.other, generic.list.len()), (7, None, 0));
    let error = container().inject::<Generic<u32, u16>>().err().unwrap();
    assert_eq!(error.to_string(), "no binding for u32 (required by Generic<u32, u16>)");
}

#[test]
fn dependencies_are_known_without_building() {
    assert_eq!(Named::dependencies().len(), 4);
    assert_eq!(Unit::dependencies().len(), 0);
    assert!(container().verify_inject::<Named>().is_ok());
    let empty = Container::builder().build().unwrap();
    let error = empty.verify_inject::<Named>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Several);
    assert_eq!(error.problems().count(), 2, "the optional ones may be absent: {error}");
}

#[test]
fn an_optional_service_that_is_there_but_broken_is_no_absence() {
    #[derive(Debug, Inject)]
    struct Optional {
        _there: Option<u8>,
    }
    let bind = |bind: &mut connect_container::Bindings| {
        bind.shared(|_| Err::<u8, _>("broken"));
    };
    let container = Container::builder().bind(bind).build().unwrap();
    assert_eq!(
        container.inject::<Optional>().unwrap_err().to_string(),
        "cannot build u8: broken (required by Optional)"
    );
}

macro_rules! made {
    ($name:ident, $first:ident, $second:ty, $third:ty) => {
        #[derive(Inject)]
        struct $name {
            first: $first,
            second: $second,
            #[inject(name = "there")]
            third: $third,
            #[inject(default)]
            fourth: $first,
        }
    };
}

made!(Made, String, Option<u16>, Option<u8>);

#[test]
fn types_may_come_through_a_macro() {
    let bind = |bind: &mut connect_container::Bindings| {
        bind.instance("first".to_owned()).named("there", 3_u8);
    };
    let made: Made = Container::builder().bind(bind).build().unwrap().inject().unwrap();
    assert_eq!((made.first.as_str(), made.second, made.third), ("first", None, Some(3)));
    assert!(made.fourth.is_empty());
}

#[derive(Inject)]
struct Bounded<T: ?Sized, const N: usize>
where
    T: Clock,
{
    clock: Arc<T>,
    r#type: Option<[u8; N]>,
    #[inject(default)]
    none: Option<Arc<T>>,
}

#[test]
fn generics_may_be_unsized_constant_and_bounded() {
    let container = container();
    let scope = container.scope().instance([1_u8; 2]).build().unwrap();
    let bounded: Bounded<dyn Clock, 2> = scope.inject().unwrap();
    assert_eq!((bounded.clock.now(), bounded.r#type, bounded.none.is_none()), (7, Some([1, 1]), true));
    assert_eq!(container.inject::<Bounded<dyn Clock, 2>>().unwrap().r#type, None);
}
