"""The console: signed-in people of member firms search, look and work here. Server-rendered HTML."""
