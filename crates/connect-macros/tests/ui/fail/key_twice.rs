use connect_container::Inject;

#[derive(Inject)]
struct CreateUser {
    #[inject(name = "api_url", name = "url")]
    url: String,
}

fn main() {}
