use connect_container::Inject;

#[derive(Inject)]
#[inject(name = "create_user")]
struct CreateUser;

fn main() {}
