mod company;
mod crashes;
mod features;
mod interactions;
mod results;
mod size;
