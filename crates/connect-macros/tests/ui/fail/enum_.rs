use connect_container::Inject;

#[derive(Inject)]
enum Transaction {
    Create,
}

fn main() {}
