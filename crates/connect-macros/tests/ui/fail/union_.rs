use connect_container::Inject;

#[derive(Inject)]
union Transaction {
    create: u8,
}

fn main() {}
