"""Tell people how their evaluations ended, by letter and by webhook.

A notice is a row written in the transaction of what it tells of, so that neither happens without the other. Web
processes deliver rows outside of any transaction: a try is claimed by a guarded UPDATE with a lease, so a process that
dies leaves it to another, and a notice arrives at least once. Nothing that grades ever waits for a delivery.
"""
