CREATE DATABASE IF NOT EXISTS $database;
CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED VIA unix_socket;
GRANT ALL ON $database.* TO 'slurm'@'localhost';
