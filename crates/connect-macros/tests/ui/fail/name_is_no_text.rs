use connect_container::Inject;

#[derive(Inject)]
struct CreateUser {
    #[inject(name = api_url)]
    url: String,
}

fn main() {}
