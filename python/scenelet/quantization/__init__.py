"""From a Keras network to INT8: conversion, fake quantization, and quantization-aware training (QAT)."""
