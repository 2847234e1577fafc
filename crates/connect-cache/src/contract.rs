//! What every driver means alike, as tests: for drivers of your own.

use std::{future::Future, io, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{Cache, CacheError, CacheExt, Entry, Flush};

/// Keys that one store or another finds hard.
fn keys() -> Vec<String> {
    let hard = [
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "a_b",
        "a:b",
        "a/b",
        "a b",
        "a%b",
        "a%2Fb",
        "a*b",
        "a?b",
        "a[b]",
        "a\\b",
        "a'b",
        "a\"b",
        "..",
        "../../etc/passwd",
        "/",
        "a\nb",
        "a\0b",
        "a\0c",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "日本語",
        "🦀",
        "null",
        "~",
        "cache.lock",
    ];
    let mut keys: Vec<String> = hard.into_iter().map(str::to_owned).collect();
    // Long ones that differ at their ends alone.
    keys.extend([250, 251, 255, 3_000, 70_000].into_iter().flat_map(|length| {
        let long = "k".repeat(length - 1);
        [format!("{long}1"), format!("{long}2")]
    }));
    keys
}

/// Checks that a cache keeps the contract that all drivers of this crate keep.
///
/// The cache is flushed. Its entries are made to live for multiples of `unit`, and `pass` has to let so much time pass:
/// `tokio::time::advance` where the driver goes by tokio's clock and the test has stopped it, else `tokio::time::sleep`.
///
/// ```
/// # use connect_cache::{contract::contract, MemoryCache};
/// # #[cfg(feature = "memory")]
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() {
///     use std::{sync::Arc, time::Duration};
///
///     let cache = Arc::new(MemoryCache::default());
///     contract(cache, Duration::from_secs(10), tokio::time::advance).await.unwrap();
/// }
/// ```
///
/// # Panics
///
/// Where the cache does not keep it: this is a test.
pub async fn contract<P, F>(cache: Arc<dyn Cache>, unit: Duration, pass: P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    cache.flush(Flush::All).await?;
    absent(&cache).await?;
    values(&cache).await?;
    any_key(&cache).await?;
    lifetimes(&cache, unit, &pass).await?;
    touched(&cache, unit, &pass).await?;
    added(&cache, unit, &pass).await?;
    flushed(&cache, unit, &pass).await?;
    computed(&cache, unit, &pass).await?;
    at_once(&cache).await?;
    cache.flush(Flush::All).await
}

async fn absent(cache: &Arc<dyn Cache>) -> Result<(), CacheError> {
    assert!(!cache.has("k").await?);
    assert_eq!(cache.get::<Value>("k").await?, None);
    assert_eq!(cache.touch::<Value>("k", Duration::from_secs(5)).await?, None);
    cache.delete("k").await?;
    assert_eq!(cache.get_or("k", 7).await?, 7);
    assert!(!cache.has("k").await?, "a default is not stored");
    Ok(())
}

async fn values(cache: &Arc<dyn Cache>) -> Result<(), CacheError> {
    let values = [
        json!(0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(-1e300),
        json!(true),
        json!(false),
        json!(""),
        json!("é 日本 🦀 \0 \r\n \" \\ '"),
        json!([]),
        json!({}),
        json!([null, [1, "2"], {"b": null, "a": {"": [1.5]}}]),
        json!("long ".repeat(60_000)),
    ];
    for value in values {
        cache.put("k", &value, None).await?;
        assert!(cache.has("k").await?);
        assert_eq!(cache.get::<Value>("k").await?, Some(value));
    }
    assert_eq!(cache.get::<u8>("k").await?, None, "what is of another type is absent");
    assert_eq!(cache.get_or("k", 7_u8).await?, 7);
    cache.delete("k").await?;
    assert!(!cache.has("k").await?);

    cache.put("k", &1, None).await?;
    cache.put("k", &Value::Null, None).await?;
    assert!(!cache.has("k").await?, "null takes the entry out");
    cache.put("k", &None::<u8>, None).await?;
    assert!(!cache.has("k").await?, "and is not stored");
    Ok(())
}

async fn any_key(cache: &Arc<dyn Cache>) -> Result<(), CacheError> {
    let keys = keys();
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(cache.get::<usize>(key).await?, None, "{key:?} is another key's");
        cache.put(key, &number, None).await?;
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(cache.get::<usize>(key).await?, Some(number), "{key:?}");
    }
    for (number, key) in keys.iter().enumerate() {
        cache.delete(key).await?;
        assert!(!cache.has(key).await?, "{key:?}");
        if let Some(next) = keys.get(number + 1) {
            assert!(cache.has(next).await?, "{next:?} went with {key:?}");
        }
    }
    Ok(())
}

async fn lifetimes<P, F>(cache: &Arc<dyn Cache>, unit: Duration, pass: &P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    assert!(matches!(cache.put("k", &1, Some(Duration::ZERO)).await, Err(CacheError::ZeroTtl { .. })));
    assert!(!cache.has("k").await?);
    cache.put("default", &1, None).await?;
    cache.put("month", &1, Some(Duration::from_secs(31 * 86_400))).await?;
    cache.put("years", &1, Some(Duration::MAX)).await?;
    cache.put("short", &1, Some(unit * 2)).await?;
    cache.put("longer", &1, Some(unit)).await?;
    cache.put("longer", &2, Some(unit * 20)).await?;
    cache.put("shorter", &1, Some(unit * 20)).await?;
    cache.put("shorter", &2, Some(unit * 2)).await?;
    if let Some(left) = cache.get_text("short").await?.and_then(|entry| entry.ttl) {
        assert!(left > Duration::ZERO && left <= unit * 2, "{left:?} left of {:?}", unit * 2);
    }
    pass(unit).await;
    assert_eq!(cache.get::<u8>("short").await?, Some(1), "it lives for as long as it should");
    assert_eq!(cache.get::<u8>("longer").await?, Some(2));
    pass(unit + unit / 10).await;
    for key in ["short", "shorter"] {
        assert_eq!(cache.get::<u8>(key).await?, None, "{key}: an expired entry is absent");
        assert!(!cache.has(key).await?, "{key}");
        assert_eq!(cache.touch::<u8>(key, unit).await?, None, "{key}: and stays so");
    }
    for key in ["default", "month", "years", "longer"] {
        assert!(cache.has(key).await?, "{key}");
    }
    Ok(())
}

async fn touched<P, F>(cache: &Arc<dyn Cache>, unit: Duration, pass: &P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    for key in ["renewed", "cut"] {
        cache.put(key, &json!({"k": key}), Some(unit * 2)).await?;
    }
    let touched: Option<Value> = cache.touch("renewed", unit * 30).await?;
    assert_eq!(touched, Some(json!({"k": "renewed"})));
    assert!(cache.touch::<Value>("cut", unit).await?.is_some());
    assert!(matches!(cache.touch::<Value>("cut", Duration::ZERO).await, Err(CacheError::ZeroTtl { .. })));
    pass(unit + unit / 10).await;
    assert!(!cache.has("cut").await?, "a shorter time counts as well");
    pass(unit).await;
    assert_eq!(cache.get::<Value>("renewed").await?, Some(json!({"k": "renewed"})));
    Ok(())
}

async fn added<P, F>(cache: &Arc<dyn Cache>, unit: Duration, pass: &P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    assert!(cache.add("added", &1, Some(unit)).await?);
    assert!(!cache.add("added", &2, Some(unit)).await?);
    assert_eq!(cache.get::<u8>("added").await?, Some(1));
    pass(unit + unit / 10).await;
    assert!(cache.add("added", &3, Some(unit * 30)).await?, "an expired entry is absent");
    assert_eq!(cache.get::<u8>("added").await?, Some(3));
    cache.delete("added").await?;
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let cache = Arc::clone(cache);
        tasks.spawn(async move { cache.add("added", &number, None).await });
    }
    let won = tasks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "of many who add, one succeeds");
    Ok(())
}

async fn flushed<P, F>(cache: &Arc<dyn Cache>, unit: Duration, pass: &P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    cache.flush(Flush::All).await?;
    let kept = ["live", "b", "A*:1", "a_:1", "ax:1", "é"];
    let gone = ["a*:1", "a*:", "a*:/../é", "a*:\n"];
    for key in kept.into_iter().chain(gone) {
        cache.put(key, &key, None).await?;
    }
    cache.put("expired", &1, Some(unit)).await?;
    pass(unit + unit / 10).await;
    cache.flush(Flush::Expired).await?;
    assert!(!cache.has("expired").await?);
    for key in kept.into_iter().chain(gone) {
        assert!(cache.has(key).await?, "{key:?} has not expired");
    }
    cache.flush_prefix("a*:", Flush::Expired).await?;
    assert!(cache.has("a*:1").await?);
    cache.flush_prefix("a*:", Flush::All).await?;
    for key in gone {
        assert!(!cache.has(key).await?, "{key:?} begins with a*:");
    }
    for key in kept {
        assert_eq!(cache.get::<String>(key).await?.as_deref(), Some(key), "{key:?} does not begin with a*:");
    }
    for key in keys() {
        cache.put(&key, &1, None).await?;
    }
    cache.flush(Flush::All).await?;
    for key in keys().iter().map(String::as_str).chain(kept) {
        assert!(!cache.has(key).await?, "{key:?}");
    }
    Ok(())
}

async fn computed<P, F>(cache: &Arc<dyn Cache>, unit: Duration, pass: &P) -> Result<(), CacheError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    for made in ["first", "second"] {
        let make = async || Ok::<_, io::Error>(made.to_owned());
        let value: String =
            cache.get_or_try_insert_with("k", None, make).await.map_err(CacheError::storage)?;
        assert_eq!(value, "first");
    }
    let make = async || Ok::<_, io::Error>(5);
    let value: u8 = cache.get_or_try_insert_with("k", None, make).await.map_err(CacheError::storage)?;
    assert_eq!((value, cache.get("k").await?), (5, Some(5)), "what is of another type is computed anew");

    let make = async || Ok::<_, io::Error>(Entry::new(1).ttl(unit));
    let value: u8 =
        cache.get_or_try_insert_with("own", Some(unit * 30), make).await.map_err(CacheError::storage)?;
    let make = async || Ok::<_, io::Error>(2);
    let given: u8 =
        cache.get_or_try_insert_with("given", Some(unit), make).await.map_err(CacheError::storage)?;
    assert_eq!((value, given), (1, 2));
    assert!(cache.has("own").await? && cache.has("given").await?);
    pass(unit + unit / 10).await;
    assert!(!cache.has("own").await?, "the value's own time to live wins");
    assert!(!cache.has("given").await?);

    let make = async || Ok::<_, io::Error>(None);
    let value: Option<u8> =
        cache.get_or_try_insert_with("none", None, make).await.map_err(CacheError::storage)?;
    assert_eq!((value, cache.has("none").await?), (None, false), "None is not stored");
    for made in [None, Some(1)] {
        let make = async || Ok::<_, io::Error>(Entry::new(made).ttl(unit * 30));
        let value: Option<u8> =
            cache.get_or_try_insert_with("none", None, make).await.map_err(CacheError::storage)?;
        assert_eq!(value, None, "unless it says for how long");
    }
    assert_eq!(cache.get::<u8>("none").await?, None);

    let make = async || Err::<u8, _>(io::Error::other("the vendor is down"));
    let error = cache.get_or_try_insert_with::<u8, u8, _, _, _>("fails", None, make).await;
    assert!(error.is_err_and(|error| error.downcast_ref::<io::Error>().is_some()));
    assert!(!cache.has("fails").await?);
    Ok(())
}

async fn at_once(cache: &Arc<dyn Cache>) -> Result<(), CacheError> {
    let mut tasks = JoinSet::new();
    for task in 0..64_u32 {
        let cache = Arc::clone(cache);
        tasks.spawn(async move {
            let own = format!("task {task}");
            for round in 0..3 {
                cache.put(&own, &round, None).await?;
                cache.put("shared", &task.to_string().repeat(500), None).await?;
                assert_eq!(cache.get::<u32>(&own).await?, Some(round));
                let shared: String = cache.get_or("shared", String::new()).await?;
                let whole = (0..64_u32).any(|task| task.to_string().repeat(500) == shared);
                assert!(whole, "a value that nobody wrote");
            }
            cache.delete(&own).await
        });
    }
    tasks.join_all().await.into_iter().collect()
}
