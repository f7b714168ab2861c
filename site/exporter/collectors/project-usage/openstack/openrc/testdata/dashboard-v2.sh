#!/usr/bin/env bash
# *NOTE*: Using the 2.0 *Identity API* does not necessarily mean any other
# OpenStack API is version 2.0.
export OS_AUTH_URL=https://cloud.example.org:5000/v2.0

# With the addition of Keystone we have standardized on the term **tenant**
export OS_TENANT_ID=cafe
export OS_TENANT_NAME="usage of all"

# unsetting v3 items in case set
unset OS_PROJECT_ID
unset OS_PROJECT_NAME
unset OS_USER_DOMAIN_NAME
unset OS_INTERFACE

export OS_USERNAME="ann"

# With Keystone you pass the keystone password.
echo "Please enter your OpenStack Password for project $OS_TENANT_NAME as user $OS_USERNAME: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT

# If your configuration has multiple regions, we set that information here.
export OS_REGION_NAME="north"
# Don't leave a blank variable, unset it if it was empty
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi

export OS_ENDPOINT_TYPE=publicURL
export OS_IDENTITY_API_VERSION=2
