"""What a competent data scientist would serve the same model with; run by the peers' Python.

Both do less than ree for an answer, which is in their favour: they tell no warnings, refuse no home
that is unlike what was sold, give no fsd, confidence or price per m2, write no line a request, have
no metrics and no request ids, verify no digest and swap no model. Other than that they are done
well: the model is loaded once a worker, a batch is one DataFrame and is priced as columns, nothing
is done row by row that need not be.
"""
