"""The main screen and the full-screen views and dialogs over it. For `app` and `dialogs` alone."""
