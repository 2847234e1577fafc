use connect_container::Inject;

#[derive(Inject)]
struct CreateUser {
    #[inject(named = "api_url")]
    url: String,
}

fn main() {}
