use connect_container::Inject;

#[derive(Inject)]
struct CreateUser {
    #[inject(name = "api_url", default)]
    url: String,
}

fn main() {}
