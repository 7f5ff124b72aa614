//! The rules of the architecture that a program can check.
pub fn run(_args: &[String]) -> crate::process::Res<()> {
    Ok(())
}
