use connect_container::Inject;

#[derive(Inject)]
struct CreateUser<'a> {
    url: &'a str,
}

fn main() {}
