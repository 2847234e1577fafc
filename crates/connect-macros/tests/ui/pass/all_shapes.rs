use connect_container::Inject;

#[derive(Inject)]
struct Unit;

#[derive(Inject)]
#[inject(crate = "connect_container")]
struct Fields {
    by_type: u8,
    #[inject(name = "api_url")]
    by_name: String,
    may_be_absent: Option<u16>,
    #[inject(default)]
    no_service: std::sync::OnceLock<()>,
}

fn main() {}
