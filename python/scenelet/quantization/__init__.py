"""From a Keras network to INT8: conversion, fake quantization, quantization-aware training."""
