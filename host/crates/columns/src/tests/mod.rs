mod company;
mod features;
mod results;
mod speed;
