"""Workers as Ray actors, on machines that come and go.

An actor is a worker (one CPU core or a share of GPUs), not an arm: it holds the images and a cache
of arm states, so going on with an arm it holds costs nothing and taking over another one
checkpoint read. Ray's own retries are off, so that no epoch is repeated behind the ledger's back.

    connecting   which cluster, and whether this process can work with it
    planning     what a worker takes, and how many fit on which machine
    worker       the actor
    member       one worker as the driver sees it
    pool         the members: as many as are wanted and fit
    starting     waiting for the first of them
    watching     whether a worker hangs
    losing       why a worker is gone, and whether its job had a part in it
    cluster      what Ray says of its machines
    metrics      counters and gauges through Ray's own API
"""
