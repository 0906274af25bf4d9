"""Pages for people: layout, widgets, sign-in, languages; `app.make_app(platform)` is the door."""
