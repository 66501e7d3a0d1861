"""The endpoints of the engine's API, by subject: each is one method of the engine.

`requests` reads what a front end sent; `uploads` has projects, accounts and bandwidth, too; `verifications`. Only
`service.api` imports them.
"""
