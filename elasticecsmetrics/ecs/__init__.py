"""What an ECS document holds and how it is encoded; knows nothing of threads, sockets or clusters."""
