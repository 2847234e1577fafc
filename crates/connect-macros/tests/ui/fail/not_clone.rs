use connect_container::Inject;

struct Connection;

#[derive(Inject)]
struct CreateUser {
    connection: Connection,
}

fn main() {}
