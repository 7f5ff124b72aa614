mod commands;
mod fake;
mod forms;
mod waiting;
