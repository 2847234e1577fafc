use connect_container::{Container, Error};

struct CreateUser;

fn main() -> Result<(), Error> {
    let _: CreateUser = Container::builder().build()?.inject()?;
    Ok(())
}
