"""From a .tflite file to C: read -> check -> passes -> lower -> plan -> emit.

::

    reader      bytes -> Graph
    support     Graph -> nothing, or an error that names the operator
    passes      Graph -> Graph without dead operators; tensors that share bytes
    lowering    Graph -> Program: one Step a call into the engine, with its constants laid out
    plan        Program -> Plan: every tensor's and scratch's place in the arena
    emit        Program, Plan -> scn_model.h, scn_model.c
"""
