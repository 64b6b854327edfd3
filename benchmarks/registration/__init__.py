"""What it costs to declare many services: time and memory of the program alone, side by side."""
